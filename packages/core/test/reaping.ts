// reap() is for all that a user's dead processes have left, and several files of tests run at once: what one has killed, and
// is about to look at, another would have removed. So tests reap one after the other.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { reap } from '@octoipc/core';
import { onTestFinished } from 'vitest';

/** Milliseconds. */
const PATIENCE = 120_000;
const PAUSE = 20;

/** Exists while somebody has his turn, and has his pid in it. */
const file = join(tmpdir(), `reaping-${process.geteuid?.()}`);
const idle = new Int32Array(new SharedArrayBuffer(4));

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Whether the turn is ours now; one whose owner has died is ended. */
function take(): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  try {
    const owner = readFileSync(file, 'utf8');
    // An empty one was made a moment ago.
    if (owner !== '' && !isThere(Number(owner))) end();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return false;
}

function end(): void {
  rmSync(file, { force: true });
}

function begin(): void {
  const late = performance.now() + PATIENCE;
  while (!take()) {
    if (performance.now() > late) throw new Error(`${file} is still there`);
    Atomics.wait(idle, 0, 0, PAUSE);
  }
}

/** Until the test is over no other test reaps; called before anything is killed. */
export function reapAlone(): void {
  begin();
  onTestFinished(end);
}

/** `reap()`, when no test is about to look at what it has killed. */
export function reapInTurn(): void {
  begin();
  try {
    reap();
  } finally {
    end();
  }
}
