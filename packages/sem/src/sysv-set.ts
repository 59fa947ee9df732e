import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  closedError,
  integer,
  IpcError,
  optionsObject,
  ResourceHandle,
  waitOptions,
  waitSync,
} from '@octoipc/core/kit';

import { ENDLESS, isEndless } from './endless.js';
import { SetCalls } from './sysv-calls.js';
import type { SysvKey } from './sysv-key.js';
import {
  adoptSet,
  MOST_VALUE,
  openSet,
  removeSet,
  valuesOf,
  type OpenedSet,
  type SysvSetOpenOptions,
} from './sysv-open.js';
import { operationsOf, type SysvOperation } from './sysv-operation.js';
import {
  listSets,
  readSetStatus,
  setLimits,
  type SysvSetLimits,
  type SysvSetStatus,
} from './sysv-status.js';
import { SetWaits } from './sysv-waits.js';
import { binding } from './binding.js';

/** What `setStat` changes. */
export interface SysvSetChanges {
  /** Permission bits. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

const MOST_ID = 0xffff_fffe;

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
export class SysvSemaphoreSet extends ResourceHandle {
  /** The key, unsigned; 0 for a private set, unless it is temporary. */
  readonly key: number;
  readonly #calls: SetCalls;
  readonly #waits: SetWaits;

  private constructor({ id, key, count, target, temporary }: OpenedSet) {
    super({ release: () => temporary?.end() });
    this.key = key;
    this.#calls = new SetCalls(id, count, target);
    this.#waits = new SetWaits(this.#calls, this);
  }

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

  /** The kernel's number of the set. */
  get id(): number {
    this.#check('semget');
    return this.#calls.id;
  }

  /** How many semaphores it has. */
  get count(): number {
    return this.#calls.count;
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
      const checked = operationsOf(this.#calls.binding, operations);
      this.#check('semop');
      return this.#waits.run(checked, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Makes operations if none of them has to wait, nor who waits already comes first; whether it did. */
  tryOperate(operations: readonly SysvOperation[]): boolean {
    const checked = operationsOf(this.#calls.binding, operations);
    this.#check('semop');
    if (checked.waits && this.#waits.contends(checked)) return false;
    return this.#calls.tryNow(checked);
  }

  /**
   * Makes operations; blocks this thread while one of them has to wait.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when operations on the same semaphores wait
   * @see semtimedop(2)
   */
  operateSync(operations: readonly SysvOperation[], options?: Omit<WaitOptions, 'signal'>): void {
    const { timeout } = waitOptions(options);
    const checked = operationsOf(this.#calls.binding, operations);
    this.#check('semtimedop');
    const details = this.#details('semtimedop');
    if (checked.waits && this.#waits.contends(checked)) {
      throw new IpcError('EBUSY', {
        ...details,
        hint: 'asynchronous calls wait on this handle: await them before a blocking one',
      });
    }
    // The call that can wait tries first: another one before it would cost as much again.
    let outcome: void | typeof BLOCKED = timeout === 0 ? this.#calls.attempt(checked) : BLOCKED;
    waitSync<void>(
      () => outcome,
      (milliseconds) => {
        outcome = this.#calls.attemptFor(checked, isEndless(timeout) ? ENDLESS : milliseconds);
      },
      timeout,
      { details },
    );
  }

  /**
   * All values: GETALL, and SETALL, which forgets what was to be undone.
   *
   * @throws {IpcError} EACCES when the set's mode does not let this user do that
   */
  get values(): number[] {
    this.#check('semctl');
    const values = new Int32Array(this.#calls.count);
    const result = this.#calls.binding.setValues(this.#calls.id, values);
    if (result < 0) throw this.#calls.error(result, 'semctl');
    return [...values];
  }

  set values(values: readonly number[]) {
    const all = Int32Array.from(valuesOf(values, this.#calls.count));
    this.#check('semctl');
    const result = this.#calls.binding.setAllValues(this.#calls.id, all);
    if (result < 0) throw this.#calls.error(result, 'semctl');
  }

  /** One value: GETVAL. */
  get(index: number): number {
    return this.#control(index, this.#calls.binding.GETVAL);
  }

  /** Sets one value, and forgets what was to be undone of it: SETVAL. */
  set(index: number, value: number): void {
    integer(value, 'value', 0, MOST_VALUE);
    this.#control(index, this.#calls.binding.SETVAL, value);
  }

  /** How many wait for a semaphore to increase, and to be 0: GETNCNT, GETZCNT. */
  waiting(index: number): { increase: number; zero: number } {
    const { GETNCNT, GETZCNT } = this.#calls.binding;
    return { increase: this.#control(index, GETNCNT), zero: this.#control(index, GETZCNT) };
  }

  /** The process that last changed a semaphore; 0 if none has: GETPID. */
  lastPid(index: number): number {
    return this.#control(index, this.#calls.binding.GETPID);
  }

  /**
   * What the set is, and when it was last used.
   *
   * @throws {IpcError} EIDRM when it was removed; EACCES when its mode does not let this user read
   */
  stat(): SysvSetStatus {
    this.#check('semctl');
    const status = readSetStatus(this.#calls.binding, this.#calls.id);
    if (typeof status === 'number') throw this.#calls.error(status, 'semctl');
    return status;
  }

  /**
   * Changes mode or owner.
   *
   * @throws {IpcError} EPERM when it is another user's
   */
  setStat(changes: SysvSetChanges): void {
    const { mode, uid, gid } = optionsObject<SysvSetChanges>(changes, 'changes');
    const values = [
      mode === undefined ? -1 : integer(mode, 'changes.mode', 0, 0o777),
      uid === undefined ? -1 : integer(uid, 'changes.uid', 0, MOST_ID),
      gid === undefined ? -1 : integer(gid, 'changes.gid', 0, MOST_ID),
    ] as const;
    this.#check('semctl');
    const result = this.#calls.binding.setChange(this.#calls.id, ...values);
    if (result < 0) throw this.#calls.error(result, 'semctl');
  }

  /** Removes the set, for everybody, at once, and closes the handle. */
  remove(): void {
    this.#control(0, this.#calls.binding.IPC_RMID);
    this.#waits.fail(new IpcError('EIDRM', this.#details('semop')));
    super.close();
  }

  /** Pending waits reject with `ERR_CLOSED`; a temporary set is removed. */
  override close(): void {
    if (this.closed) return;
    if (this.#waits.length > 0) this.#waits.fail(closedError(this.describe()));
    super.close();
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    this.#waits.ref(true);
    return this;
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    this.#waits.ref(false);
    return this;
  }

  protected override describe(): { syscall: string; target: string } {
    return this.#details('semop');
  }

  #control(index: number, command: number, value = 0): number {
    integer(index, 'index', 0, Math.max(this.#calls.count, 1) - 1);
    this.#check('semctl');
    const result = this.#calls.binding.setControl(this.#calls.id, index, command, value);
    if (result < 0) throw this.#calls.error(result, 'semctl');
    return result;
  }

  #details(syscall: string): { syscall: string; target: string } {
    return { syscall, target: this.#calls.target };
  }

  #check(syscall: string): void {
    if (this.closed) throw closedError(this.#details(syscall));
  }
}
