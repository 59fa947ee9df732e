import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

/** A directory of this test's own, which goes with it. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A key that is nobody else's. */
export function freshKey(): string {
  return `0x${randomInt(1, 0x7fff_ffff).toString(16)}`;
}

let count = 0;

/** A name that is nobody else's. */
export function freshName(): string {
  count += 1;
  return `/octoipc-channels-${process.pid}-${count}`;
}
