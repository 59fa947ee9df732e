import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import { check, Deadline, FdSource, onAbort, Readiness, timeoutError } from '@octoipc/core/kit';

import { binding, type ShmBinding } from './binding.js';

/** One pending wait. */
export interface FutexWait {
  /** Ends it by an error. */
  fail(error: unknown): void;
  /** Ends it as if it had been woken. */
  wake(): void;
  /** Whether it keeps the process alive. */
  ref(alive: boolean): void;
}

interface Pending extends FutexWait {
  woken(): void;
}

/** A word of memory that is waited for, and what becomes of the wait. */
export interface FutexRequest {
  readonly words: Int32Array;
  readonly index: number;
  readonly expected: number;
  readonly options: WaitOptions;
  readonly alive: boolean;
  readonly details: IpcErrorDetails;
  /** The wait is over, and settles next. */
  ended(wait: FutexWait): void;
  resolve(): void;
  reject(error: unknown): void;
}

/** As many wakes as are asked for at once. */
const BATCH = 64;

/**
 * All waits of this JavaScript thread for words of shared memory.
 *
 * Lifetime:
 * 1. Made at the first wait; its descriptor stays, its thread ends by itself when nobody waits.
 * 2. A wait ends by a wake, told once, or by its request's signal, timeout or `fail`. A wake that had
 *    come to it by then goes to the next who waits for the word, here or in another process.
 */
export class FutexWaiter {
  readonly #binding: ShmBinding;
  readonly #readiness: Readiness;
  readonly #index: number;
  readonly #source: FdSource;
  readonly #who = new Int32Array(BATCH);
  readonly #pending: (Pending | undefined)[] = [];
  readonly #free: number[] = [];
  #count = 0;

  private constructor(native: ShmBinding) {
    this.#binding = native;
    this.#readiness = Readiness.of(native);
    // This opens it: what keeps the process alive is counted from then on.
    void this.#readiness.mode;
    const fd = new Int32Array(1);
    this.#index = check(native.futexOpen(fd), 'eventfd');
    this.#source = new FdSource(this.#readiness, fd[0]!);
    // Waits keep the process alive, one by one.
    this.#source.ref(false);
  }

  static #waiter: FutexWaiter | undefined;

  static get(): FutexWaiter {
    FutexWaiter.#waiter ??= new FutexWaiter(binding());
    return FutexWaiter.#waiter;
  }

  /** Begins a wait. */
  wait(request: FutexRequest): FutexWait {
    const { options, details } = request;
    const { signal, timeout } = options;
    const who = this.#free.pop() ?? this.#pending.length;
    if (this.#count === 0) this.#source.readable.listen(() => this.#answer());
    const thread = this.#binding.futexAdd(
      this.#index,
      request.words,
      request.index,
      request.expected,
      who,
    );
    if (thread < 0) {
      if (who === this.#pending.length) this.#pending.push(undefined);
      this.#free.push(who);
      if (this.#count === 0) this.#source.readable.rest();
      check(thread, 'futex', { ...details, hint: NO_THREAD });
    }
    this.#count += 1;
    let { alive } = request;
    if (alive) this.#readiness.keep(1);
    let deadline: Deadline | undefined;
    const end = (): void => {
      deadline?.clear();
      forget?.();
      if (alive) this.#readiness.keep(-1);
      this.#pending[who] = undefined;
      this.#free.push(who);
      if (--this.#count === 0) this.#source.readable.rest();
      request.ended(wait);
    };
    const wait: Pending = {
      woken() {
        end();
        request.resolve();
      },
      wake: () => {
        this.#binding.futexRemove(this.#index, thread, who);
        end();
        request.resolve();
      },
      fail: (error) => {
        // A wake that came just before goes on to whoever is next.
        this.#binding.futexRemove(this.#index, thread, who);
        end();
        request.reject(error);
      },
      ref: (value) => {
        if (value === alive) return;
        alive = value;
        this.#readiness.keep(value ? 1 : -1);
        deadline?.ref(value);
      },
    };
    const forget = signal && onAbort(signal, () => wait.fail(signal.reason));
    if (timeout !== undefined && timeout !== Infinity) {
      deadline = new Deadline(timeout, () => wait.fail(timeoutError(details)));
      if (!alive) deadline.ref(false);
    }
    this.#pending[who] = wait;
    return wait;
  }

  #answer(): void {
    const who = this.#who;
    for (;;) {
      const count = check(this.#binding.futexTake(this.#index, who), 'futex');
      for (const one of who.slice(0, count)) this.#pending[one]?.woken();
      if (count < BATCH) return;
    }
  }
}

const NO_THREAD = 'no thread can be started: raise RLIMIT_NPROC';
