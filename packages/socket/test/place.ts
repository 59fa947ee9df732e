import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from 'vitest';

/** Where all fresh paths are; it goes when the tests of this file are over. */
export const folder = mkdtempSync(join(tmpdir(), 'octoipc-socket-'));
let count = 0;

// The other processes of the conformance suite make theirs there, too.
process.env['OCTOIPC_TEST_FOLDER'] = folder;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path that nothing has. */
export function freshPath(): string {
  return join(folder, `s${++count}`);
}

/** An abstract name that nobody has. */
export function freshName(): string {
  return `octoipc-test-${process.pid}-${++count}`;
}
