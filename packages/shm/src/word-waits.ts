import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  check,
  checkTimeout,
  closedError,
  inMainThread,
  integer,
  optionsObject,
  timeoutError,
  waitOptions,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EAGAIN, EINTR, ETIMEDOUT } from './errno.js';
import { FutexWaiter, type FutexWait } from './futex-waiter.js';
import { wordValue } from './word.js';

/** The longest that a blocking wait sleeps before JavaScript gets a chance to be terminated. */
const SLICE = 100;

const MOST_WAITERS = 0x7fffffff;

/** The memory that has the words; its methods throw where there is none. */
export interface WordMemory {
  /** Which word is at an offset. */
  wordAt(byteOffset: number): number;
  words(): Int32Array;
  details(): IpcErrorDetails;
}

/** Those who wait for words of one handle's memory. */
export class WordWaits {
  readonly #memory: WordMemory;
  readonly #waits = new Set<FutexWait>();
  #alive = true;

  constructor(memory: WordMemory) {
    this.#memory = memory;
  }

  /** Throws what is wrong at once. */
  wait(byteOffset: number, expected: number, options?: WaitOptions): Promise<'ok' | 'not-equal'> {
    const wait = waitOptions(options);
    const index = this.#memory.wordAt(byteOffset);
    const value = wordValue(expected);
    const { signal, timeout } = wait;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const words = this.#memory.words();
    if (Atomics.load(words, index) !== value) return Promise.resolve('not-equal');
    const details = this.#memory.details();
    if (timeout === 0) return Promise.reject(timeoutError(details));
    return new Promise((resolve, reject) => {
      const pending = FutexWaiter.get().wait({
        words,
        index,
        expected: value,
        options: wait,
        alive: this.#alive,
        details,
        ended: (ended) => this.#waits.delete(ended),
        resolve: () => resolve('ok'),
        reject,
      });
      this.#waits.add(pending);
    });
  }

  waitSync(
    byteOffset: number,
    expected: number,
    options?: { readonly timeout?: number | undefined },
  ): 'ok' | 'not-equal' {
    const { timeout } = optionsObject<{ readonly timeout?: number | undefined }>(options);
    checkTimeout(timeout);
    const index = this.#memory.wordAt(byteOffset);
    const value = wordValue(expected);
    const words = this.#memory.words();
    if (Atomics.load(words, index) !== value) return 'not-equal';
    // Nobody terminates the main thread, which may sleep in one go.
    const slice = timeout === undefined && inMainThread() ? -1 : SLICE;
    const deadline = timeout === undefined ? 0 : performance.now() + timeout;
    for (;;) {
      const left = timeout === undefined ? slice : deadline - performance.now();
      if (left <= 0 && timeout !== undefined) throw timeoutError(this.#memory.details());
      const time = Math.min(Math.ceil(left), slice);
      const result = binding().futexSleep(words, index, value, time);
      if (result === 0 || result === EAGAIN) return 'ok';
      if (result !== ETIMEDOUT && result !== EINTR) check(result, 'futex', this.#memory.details());
    }
  }

  notify(byteOffset: number, count: number): number {
    const index = this.#memory.wordAt(byteOffset);
    const most = count === Infinity ? MOST_WAITERS : integer(count, 'count', 0, MOST_WAITERS);
    const words = this.#memory.words();
    if (most === 0) return 0;
    return check(binding().futexNotify(words, index, most), 'futex', this.#memory.details());
  }

  /** The handle is closed: pending waits reject. A wake that had come is handed on. */
  fail(details: IpcErrorDetails): void {
    if (this.#waits.size === 0) return;
    const error = closedError(details);
    for (const wait of this.#waits) wait.fail(error);
  }

  /** Those who wait now, to look again once the memory is another. */
  pending(): FutexWait[] {
    return [...this.#waits];
  }

  /** Whether pending waits keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    for (const wait of this.#waits) wait.ref(alive);
  }
}
