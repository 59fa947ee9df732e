import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from 'vitest';

/** In memory where that is to be had: the suite makes and removes FIFOs by the hundred thousand. */
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Where all fresh paths are; it goes when the tests of this file are over. */
export const folder = mkdtempSync(join(base, 'octoipc-fifo-'));
let count = 0;

// The other processes of the conformance suite make theirs there, too.
process.env['OCTOIPC_TEST_FOLDER'] = folder;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path that nothing has. */
export function freshPath(): string {
  return join(folder, `fifo-${++count}`);
}
