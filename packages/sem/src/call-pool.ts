import { check } from '@octoipc/core/kit';

import { Bell } from './bell.js';
import { binding, type SemBinding } from './binding.js';
import { EINPROGRESS } from './errno.js';

const NO_THREAD = 'no thread can be started: raise RLIMIT_NPROC, or wait for fewer sets at once';

/** A call that runs on a thread. */
export interface Call {
  /** Ends it, if it was not told of yet; what it answered, -EINTR if it has done nothing. */
  stop(): number;
}

interface Thread {
  readonly index: number;
  told: ((result: number) => void) | undefined;
}

/**
 * The threads that are inside semop(2), for all sets of this JavaScript thread.
 *
 * Lifetime: a thread ends by itself when there was nothing to do for a while, and is used again before. A
 * call ends by what it answers, told once, or by `stop`.
 */
export class CallPool {
  static #pool: CallPool | undefined;

  static get(): CallPool {
    CallPool.#pool ??= new CallPool();
    return CallPool.#pool;
  }

  readonly #binding: SemBinding = binding();
  readonly #idle: Thread[] = [];

  /** Makes a call on a thread. */
  operate(id: number, operations: Int32Array, told: (result: number) => void): Call {
    const thread = this.#idle.pop() ?? this.#open();
    const result = this.#binding.waitOperate(thread.index, id, operations);
    if (result < 0) this.#idle.push(thread);
    check(result, 'pthread_create', { hint: NO_THREAD });
    thread.told = told;
    return {
      stop: () => {
        const answer = this.#binding.waitStop(thread.index);
        this.#release(thread);
        return answer;
      },
    };
  }

  #open(): Thread {
    const bell = Bell.get();
    // Its slot stays: what rang before a call was stopped finds no answer.
    const slot = bell.take(() => this.#rung(thread));
    const index = this.#binding.waitOpen(bell.index, slot);
    if (index < 0) bell.give(slot);
    const thread: Thread = { index: check(index, 'pthread_create'), told: undefined };
    return thread;
  }

  #rung(thread: Thread): void {
    const { told } = thread;
    if (told === undefined) return;
    const result = this.#binding.waitResult(thread.index);
    // A ring of an earlier call; this one goes on.
    if (result === EINPROGRESS) return;
    this.#release(thread);
    told(result);
  }

  #release(thread: Thread): void {
    thread.told = undefined;
    this.#idle.push(thread);
  }
}
