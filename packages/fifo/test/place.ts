import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-fifo-'));
let count = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path that nothing has; its folder goes when the tests of this file are over. */
export function freshPath(): string {
  return join(folder, `fifo-${++count}`);
}

/** Where all fresh paths are. */
export { folder };
