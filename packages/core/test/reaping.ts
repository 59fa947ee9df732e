// reap() is for all that a user's dead processes have left, and several files of tests run at once: what one has killed, and
// is about to look at, another would have removed. So tests reap one after the other.
import { closeSync, constants, openSync } from 'node:fs';

import { reap } from '@octoipc/core';
import { onTestFinished } from 'vitest';

import { tryHold } from './records.js';

/** Milliseconds. */
const PATIENCE = 120_000;
const PAUSE = 20;

const idle = new Int32Array(new SharedArrayBuffer(4));

/** The descriptor whose closing ends our turn: it holds a lock of this very file, which is there, and is for all runs. */
function begin(): number {
  const fd = openSync(import.meta.filename, constants.O_RDWR);
  const late = performance.now() + PATIENCE;
  while (!tryHold(fd)) {
    if (performance.now() > late) {
      closeSync(fd);
      throw new Error(`another test has kept others from reaping for ${PATIENCE} ms`);
    }
    Atomics.wait(idle, 0, 0, PAUSE);
  }
  return fd;
}

/** Until the test is over no other test reaps; called before anything is killed. */
export function reapAlone(): void {
  const fd = begin();
  onTestFinished(() => closeSync(fd));
}

/** `reap()`, when no test is about to look at what it has killed. */
export function reapInTurn(): void {
  const fd = begin();
  try {
    reap();
  } finally {
    closeSync(fd);
  }
}
