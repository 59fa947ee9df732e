import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  type Attempt,
  BLOCKED,
  checkTimeout,
  IpcError,
  type Operation,
  optionsObject,
  type OwnedResource,
  rangeError,
  typeError,
  waitOptions,
  WaitQueue,
  waitSync,
  YIELD,
} from '@octoipc/core/kit';

import { Bell, SLICE } from './bell.js';
import { binding } from './binding.js';
import { MAGIC, SLEEP } from './shared-header.js';

const MOST_SPIN = 1_000_000;

/** So many looks in a row are answered at once; then the event loop turns. */
const LOOKS_IN_A_ROW = 64;

/** So many glances between two at the clock. */
const GLANCES = 64;

/** Who waits for others to change shared memory. */
export interface Sleeper {
  readonly words: Int32Array;
  /** The word in which it tells others that it sleeps. */
  readonly sleepWord: number;
  /** What the memory begins with, unless it was wiped out or cut off. */
  readonly magic: number;
  readonly details: IpcErrorDetails;
  checkUse(): void;
  /** Whether something has changed since the last attempt, so that trying again may succeed. */
  isReady(): boolean;
  /** Every 30 ms of a wait. */
  mend(): void;
  /** Whether an attempt takes nothing away from others: then nobody queues behind who waits for something else. */
  readonly onlyLooks: boolean;
  /** Closes it; the error that tells why. */
  damage(): Error;
  /** A descriptor that others can make readable. */
  openBell(): number;
  /** Tells whose bell is to be rung. */
  wantBell(): void;
}

function timeoutOf(options: { readonly timeout?: number | undefined }): number | undefined {
  const { timeout } = optionsObject<{ readonly timeout?: number | undefined }>(options);
  checkTimeout(timeout);
  return timeout;
}

/** Where a bell is kept that must be closed when its owner was forgotten. */
export interface BellKeeper {
  bell: Bell | undefined;
}

/** What closes a bell; not made in a constructor, whose closures would keep what it constructs. */
export function closingBell(keeper: BellKeeper): OwnedResource {
  return { release: () => keeper.bell?.close() };
}

/**
 * Waits for shared memory to change, in all flavours: who finds nothing sets a bit, looks again, and
 * sleeps, in futex(2) or until his bell rings; nobody longer than 30 ms without another look.
 *
 * Lifetime: that of the handle that waits, whose pending waits keep it and the process alive.
 */
export class SharedWait {
  /** How often it slept. */
  sleeps = 0;
  readonly #sleeper: Sleeper;
  readonly #keeper: BellKeeper;
  readonly #operation: Operation;
  #queue: WaitQueue | undefined;
  #alive = true;
  #spin = 0;
  /** What the word was when we lay down. */
  #asleep = 0;
  #looksInARow = 0;

  constructor(sleeper: Sleeper, keeper: BellKeeper) {
    this.#sleeper = sleeper;
    this.#keeper = keeper;
    this.#operation = { details: sleeper.details };
  }

  /** How many wait. */
  get waiting(): number {
    return this.#queue?.length ?? 0;
  }

  /** For how long, in microseconds, a wait looks again and again before it sleeps. */
  get spin(): number {
    return this.#spin;
  }

  set spin(microseconds: number) {
    if (typeof microseconds !== 'number') throw typeError('spin', 'a number', microseconds);
    if (!(microseconds >= 0 && microseconds <= MOST_SPIN)) {
      throw rangeError('spin', `from 0 to ${MOST_SPIN}`, microseconds);
    }
    this.#spin = microseconds;
  }

  /** What was in the way of those who wait, here and not in the memory, is over: they try again. */
  wake(): void {
    this.#queue?.wake();
  }

  /** Rejects all that wait. */
  fail(error: Error): void {
    this.#queue?.fail(error);
  }

  /** Whether pending waits keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    this.#queue?.ref(alive);
    this.#keeper.bell?.ref(alive);
  }

  run<T>(attempt: Attempt<T>, options: WaitOptions | undefined): Promise<T> {
    try {
      const wait = waitOptions(options);
      this.#sleeper.checkUse();
      this.#queue ??= this.#makeQueue();
      if (this.#sleeper.onlyLooks && this.waiting > 0 && wait.signal?.aborted !== true) {
        const result = attempt();
        if (result !== BLOCKED && result !== YIELD) return this.#answer(result);
      }
      const once = wait.timeout === 0;
      return this.#queue.run(() => this.#attempt(attempt, SLEEP.bell, once), wait, this.#operation);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  runSync<T>(
    attempt: Attempt<T>,
    options: { readonly timeout?: number | undefined } | undefined,
  ): T {
    const timeout = options === undefined ? undefined : timeoutOf(options);
    const sleeper = this.#sleeper;
    sleeper.checkUse();
    if (this.waiting > 0 && !sleeper.onlyLooks) {
      throw new IpcError('EBUSY', {
        ...sleeper.details,
        hint: 'asynchronous calls wait on this end: await them before a blocking one',
      });
    }
    const result = attempt();
    return result === BLOCKED || result === YIELD ? this.#sleepSync(attempt, timeout) : result;
  }

  /** What was seen beside those who wait. */
  #answer<T>(result: T): Promise<T> {
    this.#looksInARow += 1;
    if (this.#looksInARow < LOOKS_IN_A_ROW) return Promise.resolve(result);
    this.#looksInARow = 0;
    return new Promise((resolve) => void setImmediate(resolve, result));
  }

  #sleepSync<T>(attempt: Attempt<T>, timeout: number | undefined): T {
    const sleeper = this.#sleeper;
    const sleep = (milliseconds: number): void => {
      const slice = Math.min(milliseconds, SLICE);
      binding().futexSleep(sleeper.words, sleeper.sleepWord, this.#asleep, slice);
      sleeper.mend();
    };
    return waitSync(
      () => this.#attempt(attempt, SLEEP.futex, timeout === 0),
      sleep,
      timeout,
      this.#operation,
    );
  }

  /** Tries; and again, as long as it may spin; and once more after it has told that it sleeps. */
  #attempt<T>(attempt: Attempt<T>, bit: number, once: boolean): T | typeof BLOCKED {
    let result = attempt() as T | typeof BLOCKED;
    if (result !== BLOCKED) return result;
    const sleeper = this.#sleeper;
    const { words, sleepWord } = sleeper;
    // What has nothing to give may have been wiped out, or cut off.
    if (words[MAGIC] !== sleeper.magic) throw sleeper.damage();
    if (once) return result;
    if (this.#spin > 0 && this.#spinUntilReady()) {
      result = attempt() as T | typeof BLOCKED;
      if (result !== BLOCKED) return result;
    }
    if (bit === SLEEP.bell) sleeper.wantBell();
    this.#asleep = Atomics.or(words, sleepWord, bit) | bit;
    if (sleeper.isReady()) {
      result = attempt() as T | typeof BLOCKED;
      if (result !== BLOCKED) return result;
    }
    this.sleeps += 1;
    return BLOCKED;
  }

  #spinUntilReady(): boolean {
    const sleeper = this.#sleeper;
    let until = 0;
    for (;;) {
      for (let i = 0; i < GLANCES; i++) if (sleeper.isReady()) return true;
      const now = performance.now();
      if (until === 0) until = now + this.#spin / 1000;
      else if (now >= until) return false;
    }
  }

  #makeQueue(): WaitQueue {
    const bell = new Bell(this.#sleeper.openBell());
    this.#keeper.bell = bell;
    if (!this.#alive) bell.ref(false);
    const queue = new WaitQueue({
      listen: (wake) => bell.listen(wake, () => this.#sleeper.mend()),
      rest: () => bell.rest(),
    });
    queue.ref(this.#alive);
    return queue;
  }
}
