import { closedError, integer, IpcError, optionsObject, ResourceHandle } from '@octoipc/core/kit';

import { SetCalls } from './sysv-calls.js';
import { MOST_VALUE, valuesOf, type OpenedSet } from './sysv-open.js';
import { readSetStatus, type SysvSetStatus } from './sysv-status.js';
import { SetWaits } from './sysv-waits.js';

/** What `setStat` changes. */
export interface SysvSetChanges {
  /** Permission bits. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

const MOST_ID = 0xffff_fffe;

/** A System V set's id, and all that is not an operation on it. */
export abstract class SysvSetHandle extends ResourceHandle {
  /** The key, unsigned; 0 for a private set, unless it is temporary. */
  readonly key: number;
  /** @internal */
  protected readonly calls: SetCalls;
  /** @internal */
  protected readonly waits: SetWaits;

  /** @internal */
  protected constructor({ id, key, count, target, temporary }: OpenedSet) {
    super({ release: () => temporary?.end() });
    this.key = key;
    this.calls = new SetCalls(id, count, target);
    this.waits = new SetWaits(this.calls, this);
  }

  /** The kernel's number of the set. */
  get id(): number {
    this.check('semget');
    return this.calls.id;
  }

  /** How many semaphores it has. */
  get count(): number {
    return this.calls.count;
  }

  /**
   * All values: GETALL, and SETALL, which forgets what was to be undone.
   *
   * @throws {IpcError} EACCES when the set's mode does not let this user do that
   */
  get values(): number[] {
    this.check('semctl');
    const values = new Int32Array(this.calls.count);
    const result = this.calls.binding.setValues(this.calls.id, values);
    if (result < 0) throw this.calls.error(result, 'semctl');
    return [...values];
  }

  set values(values: readonly number[]) {
    const all = Int32Array.from(valuesOf(values, this.calls.count));
    this.check('semctl');
    const result = this.calls.binding.setAllValues(this.calls.id, all);
    if (result < 0) throw this.calls.error(result, 'semctl');
  }

  /** One value: GETVAL. */
  get(index: number): number {
    return this.#control(index, this.calls.binding.GETVAL);
  }

  /** Sets one value, and forgets what was to be undone of it: SETVAL. */
  set(index: number, value: number): void {
    integer(value, 'value', 0, MOST_VALUE);
    this.#control(index, this.calls.binding.SETVAL, value);
  }

  /** How many wait for a semaphore to increase, and to be 0: GETNCNT, GETZCNT. */
  waiting(index: number): { increase: number; zero: number } {
    const { GETNCNT, GETZCNT } = this.calls.binding;
    return { increase: this.#control(index, GETNCNT), zero: this.#control(index, GETZCNT) };
  }

  /** The process that last changed a semaphore; 0 if none has: GETPID. */
  lastPid(index: number): number {
    return this.#control(index, this.calls.binding.GETPID);
  }

  /**
   * What the set is, and when it was last used.
   *
   * @throws {IpcError} EIDRM when it was removed; EACCES when its mode does not let this user read
   */
  stat(): SysvSetStatus {
    this.check('semctl');
    const status = readSetStatus(this.calls.binding, this.calls.id);
    if (typeof status === 'number') throw this.calls.error(status, 'semctl');
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
    this.check('semctl');
    const result = this.calls.binding.setChange(this.calls.id, ...values);
    if (result < 0) throw this.calls.error(result, 'semctl');
  }

  /** Removes the set, for everybody, at once, and closes the handle. */
  remove(): void {
    this.#control(0, this.calls.binding.IPC_RMID);
    this.waits.fail(new IpcError('EIDRM', this.details('semop')));
    super.close();
  }

  /** Pending waits reject with `ERR_CLOSED`; a temporary set is removed. */
  override close(): void {
    if (this.closed) return;
    if (this.waits.length > 0) this.waits.fail(closedError(this.describe()));
    super.close();
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    this.waits.ref(true);
    return this;
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    this.waits.ref(false);
    return this;
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('semop');
  }

  #control(index: number, command: number, value = 0): number {
    integer(index, 'index', 0, Math.max(this.calls.count, 1) - 1);
    this.check('semctl');
    const result = this.calls.binding.setControl(this.calls.id, index, command, value);
    if (result < 0) throw this.calls.error(result, 'semctl');
    return result;
  }

  /** @internal */
  protected details(syscall: string): { syscall: string; target: string } {
    return { syscall, target: this.calls.target };
  }

  /** @internal It is open. */
  protected check(syscall: string): void {
    if (this.closed) throw closedError(this.details(syscall));
  }
}
