import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, IpcError, waitOptions, waitSync } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { ENDLESS, isEndless } from './endless.js';
import type { SysvKey } from './sysv-key.js';
import { adoptSet, openSet, removeSet, type SysvSetOpenOptions } from './sysv-open.js';
import { operationsOf, type Operations, type SysvOperation } from './sysv-operation.js';
import { SysvSetHandle } from './sysv-set-handle.js';
import { listSets, setLimits, type SysvSetLimits, type SysvSetStatus } from './sysv-status.js';

/**
 * A System V semaphore set: several counters, on which operations go through together or not at all, and
 * are undone at the death of the process that asked for that.
 *
 * Lifetime: the set is the kernel's: it outlives all processes, until somebody removes it, the machine
 * restarts, or, if it was created `temporary`, this handle closes. The handle owns no descriptor, and a
 * thread only while something waits. Waits for the same semaphores are served first come, first served; one
 * that was aborted or timed out has changed nothing.
 *
 * @example
 * ```js
 * import { SysvSemaphoreSet } from '@octoipc/sem';
 *
 * const set = SysvSemaphoreSet.open('private', { temporary: true, values: [2, 0] });
 * await set.operate([{ index: 0, delta: -1, undo: true }, { index: 1, delta: 1, undo: true }]);
 * set.values; //=> [1, 1]
 * set.tryOperate([{ index: 0, delta: -2 }]); //=> false
 * set.close();
 * ```
 * @see svipc(7)
 */
export class SysvSemaphoreSet extends SysvSetHandle {
  /**
   * Opens a set, or creates it. A set that somebody else is making is waited for, at most a second, until it
   * has its values.
   *
   * @param key - a key; `{ path, project }` as ftok(3) takes them; or `'private'`: a new one without
   * @param options - what to create
   * @returns the set
   * @throws {IpcError} ENOENT when there is none; EEXIST when `exclusive` and there is one
   * @throws {IpcError} EACCES when its mode does not let this user in
   * @throws {IpcError} EINVAL when it has fewer semaphores than `count`
   * @throws {IpcError} EAGAIN when it was created, and nobody has used it since (`sem_otime` is 0)
   * @throws {IpcError} ENOSPC when there are as many sets or semaphores as kernel.sem allows
   * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE when the key is none
   * @throws {RangeError} ERR_OUT_OF_RANGE when count is not 1 to 32,000, or a value not 0 to 32,767
   * @see semget(2)
   */
  static open(key: SysvKey, options?: SysvSetOpenOptions): SysvSemaphoreSet {
    return new SysvSemaphoreSet(openSet(key, options));
  }

  /**
   * Opens a set by its id, of another process's private set for instance, initialised or not.
   *
   * @throws {IpcError} EINVAL when there is none
   */
  static fromId(id: number): SysvSemaphoreSet {
    return new SysvSemaphoreSet(adoptSet(id));
  }

  /**
   * Removes a set at once. Who waits for it is told `EIDRM`.
   *
   * @throws {IpcError} EINVAL when there is none; EPERM when it is another user's
   * @see semctl(2)
   */
  static remove(id: number): void {
    removeSet(id);
  }

  /** The sets of this IPC namespace. */
  static list(): SysvSetStatus[] {
    return listSets();
  }

  /** What this system allows: kernel.sem. */
  static limits(): SysvSetLimits {
    return setLimits(binding());
  }

  /**
   * Makes operations, all of them or none; waits while one of them has to.
   *
   * @param operations - in their order
   * @param options - how long
   * @throws {IpcError} EAGAIN when an operation with `noWait` would have to wait
   * @throws {IpcError} EFBIG when there is no such semaphore; E2BIG when there are too many operations
   * @throws {IpcError} ERANGE when a value would leave 0 to 32,767
   * @throws {IpcError} EIDRM when the set was removed, before or while it waits
   * @throws {IpcError} EACCES when the set's mode does not let this user do that
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   * @see semop(2)
   */
  operate(operations: readonly SysvOperation[], options?: WaitOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      const checked = operationsOf(this.calls.binding, operations);
      this.check('semop');
      return this.waits.run(checked, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Makes operations if none of them has to wait, nor who waits already comes first; whether it did. */
  tryOperate(operations: readonly SysvOperation[]): boolean {
    const checked = operationsOf(this.calls.binding, operations);
    this.check('semop');
    if (checked.waits && this.waits.contends(checked)) return false;
    return this.calls.tryNow(checked);
  }

  /**
   * Makes operations; blocks this thread while one of them has to wait.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when operations on the same semaphores wait
   * @see semtimedop(2)
   */
  operateSync(operations: readonly SysvOperation[], options?: Omit<WaitOptions, 'signal'>): void {
    const { timeout } = waitOptions(options);
    const checked = operationsOf(this.calls.binding, operations);
    this.check('semtimedop');
    if (checked.waits && this.waits.contends(checked)) {
      throw new IpcError('EBUSY', {
        ...this.details('semtimedop'),
        hint: 'asynchronous calls wait on this handle: await them before a blocking one',
      });
    }
    // The call that can wait tries first: another one before it would cost as much again.
    if (isEndless(timeout) && this.calls.attemptFor(checked, ENDLESS) !== BLOCKED) return;
    this.#operateFor(checked, timeout);
  }

  #operateFor(checked: Operations, timeout: number | undefined): void {
    let outcome: void | typeof BLOCKED = timeout === 0 ? this.calls.attempt(checked) : BLOCKED;
    waitSync<void>(
      () => outcome,
      (milliseconds) => {
        outcome = this.calls.attemptFor(checked, isEndless(timeout) ? ENDLESS : milliseconds);
      },
      timeout,
      { details: this.details('semtimedop') },
    );
  }
}
