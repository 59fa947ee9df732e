import type { IpcError } from '@octoipc/core';
import { BLOCKED, errorOf } from '@octoipc/core/kit';

import { binding, type SemBinding } from './binding.js';
import { EAGAIN, EIDRM, EINTR, EINVAL } from './errno.js';
import { isRefused, tell, type Operations } from './sysv-operation.js';

/**
 * The calls on one System V set, none of which waits, unless it says so.
 *
 * Lifetime: as long as the handle, which calls nothing once it is closed: its id may be another set's then.
 */
export class SetCalls {
  readonly binding: SemBinding = binding();
  readonly id: number;
  readonly count: number;
  /** How errors name the set. */
  readonly target: string;

  constructor(id: number, count: number, target: string) {
    this.id = id;
    this.count = count;
    this.target = target;
  }

  /** All of the operations, or none. */
  attempt(operations: Operations): void | typeof BLOCKED {
    const result = this.#try(operations);
    if (result === EAGAIN && operations.waits && !this.#refuses(operations, false)) return BLOCKED;
    if (result < 0) throw this.error(result, 'semop');
  }

  /** All of the operations, or none; whether that could be done at once. */
  tryNow(operations: Operations): boolean {
    const result = this.#try(operations);
    if (result < 0 && result !== EAGAIN) throw this.error(result, 'semop');
    return result >= 0;
  }

  /** Blocks this thread for so long; for as long as it takes if that is negative. */
  attemptFor(operations: Operations, milliseconds: number): void | typeof BLOCKED {
    const { binding: native } = this;
    const start = operations.mixed ? performance.now() : 0;
    const result = native.setOperate(this.id, tell(native, operations), milliseconds);
    if (result === EINTR) return BLOCKED;
    if (result === EAGAIN && milliseconds >= 0) {
      const early = operations.mixed && performance.now() - start < milliseconds;
      if (operations.waits && !this.#refuses(operations, early)) return BLOCKED;
    }
    if (result < 0) throw this.error(result, 'semtimedop');
  }

  /**
   * EAGAIN is a timer that is over, or an operation that must not wait: what the values say, at one moment.
   *
   * @param otherwise - where they cannot be read
   */
  #refuses(operations: Operations, otherwise: boolean): boolean {
    if (!operations.mixed) return false;
    const { binding: native } = this;
    const values = new Int32Array(this.count);
    if (native.setValues(this.id, values) < 0) return otherwise;
    return isRefused(native, operations, values);
  }

  #try(operations: Operations): number {
    const { binding: native } = this;
    return native.setTry(this.id, tell(native, operations));
  }

  /** The error of a call that failed; an id that is not known any more is a set that was removed. */
  error(result: number, syscall: string): IpcError {
    const removed = result === EINVAL || result === EIDRM;
    return errorOf(removed ? EIDRM : result, syscall, {
      target: this.target,
      hint: removed ? 'somebody has removed the set: open it again' : HINTS[result],
    });
  }
}

const HINTS: Readonly<Record<number, string>> = {
  [-1]: 'only the owner, the creator or root may do that',
  [-7]: 'that are more operations than kernel.sem allows at once (SEMOPM)',
  [-13]: 'the mode of the set does not let this user do that',
  [-27]: 'the set has not so many semaphores',
  [-28]: 'no more adjustments can be kept for SEM_UNDO',
  [-34]: 'a value, or what is to be undone of it, would leave 0 to 32,767',
};
