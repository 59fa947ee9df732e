import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll } from 'vitest';

/** In memory where that is to be had: the suite makes and removes FIFOs by the hundred thousand. */
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const prefix = 'octoipc-fifo-test.';

let made = '';
let count = 0;

// Not at import: a file whose tests are all filtered away is imported, and never told that it is over.
beforeAll(() => {
  removeThoseOfTheDead();
  made = mkdtempSync(join(base, `${prefix}${process.pid}.`));
  // The other processes of the conformance suite make theirs there, too.
  process.env['OCTOIPC_TEST_FOLDER'] = made;
});

afterAll(() => rmSync(made, { recursive: true, force: true }));

/** Where all fresh paths are; it goes when the tests of this file are over. */
export function folder(): string {
  return made;
}

/** A path that nothing has. */
export function freshPath(): string {
  return join(folder(), `fifo-${++count}`);
}

/** A process that was killed leaves its folder to the next. */
function removeThoseOfTheDead(): void {
  for (const name of readdirSync(base).filter((each) => each.startsWith(prefix))) {
    const pid = name.slice(prefix.length).split('.')[0];
    if (!existsSync(`/proc/${pid}`)) rmSync(join(base, name), { recursive: true, force: true });
  }
}
