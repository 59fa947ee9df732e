import { isMainThread } from 'node:worker_threads';

import type { IpcErrorDetails } from '@octoipc/core';
import { check, timeoutError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EAGAIN, EINTR, ETIMEDOUT } from './errno.js';

/** The longest that a blocking wait sleeps before JavaScript gets a chance to be terminated. */
const SLICE = 100;

/** Blocks the thread until a word is notified or has another value. */
export function sleepOn(
  words: Int32Array,
  index: number,
  expected: number,
  { timeout, details }: { timeout: number | undefined; details: IpcErrorDetails },
): 'ok' {
  // Nobody terminates the main thread, which may sleep in one go.
  const slice = timeout === undefined && isMainThread ? -1 : SLICE;
  const deadline = timeout === undefined ? 0 : performance.now() + timeout;
  for (;;) {
    const left = timeout === undefined ? slice : deadline - performance.now();
    if (left <= 0 && timeout !== undefined) throw timeoutError(details);
    const time = Math.min(Math.ceil(left), slice);
    const result = binding().futexSleep(words, index, expected, time);
    if (result === 0 || result === EAGAIN) return 'ok';
    if (result !== ETIMEDOUT && result !== EINTR) check(result, 'futex', details);
  }
}
