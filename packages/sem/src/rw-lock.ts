import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, waitOptions } from '@octoipc/core/kit';

import { holding, type Guard } from './guard.js';
import { WITH_SLOTS } from './lock-layout.js';
import {
  listLocks,
  lockAt,
  openLock,
  unlinkLock,
  type LockAtOptions,
  type OpenedLock,
} from './lock-open.js';
import type { LockInfo } from './mutex.js';
import { ownerOf, type LockOwner } from './owned-word.js';
import type { LockMemory } from './region.js';
import { RwTurns } from './rw-turns.js';
import type { NamedOpenOptions } from './shm-file.js';
import { WordHandle } from './word-handle.js';

/**
 * A lock that many hold who read, or one who writes, between processes; it survives the death of each of
 * them. A dead reader is forgotten; after a dead writer the next one is told, and so is who reads meanwhile.
 *
 * Who wants to write comes before those who come after him to read.
 *
 * Lifetime: as that of a `Mutex`.
 *
 * @example
 * ```js
 * import { RwLock } from '@octoipc/sem';
 *
 * const lock = RwLock.open('/octoipc-table', { temporary: true });
 * const [one, two] = [await lock.readLock(), await lock.readLock()];
 * lock.tryWriteLock(); //=> null
 * one.unlock();
 * two.unlock();
 * (await lock.writeLock()).unlock();
 * lock.close();
 * ```
 */
export class RwLock extends WordHandle {
  /** Bytes that one takes in memory. */
  static readonly byteLength: number = WITH_SLOTS;

  readonly #turns: RwTurns;

  private constructor(opened: OpenedLock) {
    const turns = new RwTurns(opened);
    super(turns, turns.source, opened.target);
    this.#turns = turns;
  }

  /**
   * Opens a named lock, or creates it.
   *
   * @param name - a slash, and up to 254 bytes without one
   * @param options - what to create
   * @returns the lock
   * @throws {IpcError} as `Mutex.open` does
   */
  static open(name: string, options?: NamedOpenOptions): RwLock {
    return new RwLock(openLock('rwlock', name, options));
  }

  /**
   * A lock within memory, of `RwLock.byteLength` bytes.
   *
   * @param memory - a SharedMemory, or a SharedArrayBuffer; the lock outlives its `close()`
   * @param byteOffset - a multiple of 8
   * @param options - `init` for the one who makes it
   * @returns the lock
   * @throws {IpcError} as `Mutex.at` does
   */
  static at(memory: LockMemory, byteOffset: number, options?: LockAtOptions): RwLock {
    return new RwLock(lockAt('rwlock', memory, byteOffset, options));
  }

  /** Removes the name; those who have it open go on. */
  static unlink(name: string): void {
    unlinkLock('rwlock', name);
  }

  /** The named locks of this system, and who writes. */
  static list(): LockInfo[] {
    return listLocks('rwlock', (words) => ({ owner: ownerOf(words) }), { owner: null });
  }

  /** Makes a lock usable again that is `ENOTRECOVERABLE`; whether it was. */
  static reset(name: string): boolean {
    const lock = RwLock.open(name);
    try {
      return lock.reset();
    } finally {
      lock.close();
    }
  }

  /** Who writes; `null` if nobody does. */
  get owner(): LockOwner | null {
    this.check('owner');
    return this.#turns.word.owner;
  }

  /** The processes that read now. */
  get readers(): number[] {
    this.check('readers');
    return this.#turns.readers.pids;
  }

  /** How many threads wait for who writes, or wants to. */
  get waiters(): number {
    this.check('waiters');
    return this.#turns.word.sleepers;
  }

  /**
   * Takes the lock to read; waits while somebody writes, or wants to.
   *
   * @param options - how long
   * @returns the guard; `recovered` where a writer died, and nobody has repaired what it left
   * @throws {IpcError} ENOTRECOVERABLE when it was poisoned; EAGAIN when 1,016 handles read already
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   */
  readLock(options?: WaitOptions): Promise<Guard> {
    return this.begin(options, 'readLock', (wait) =>
      this.run(() => this.#turns.read(this, true), wait, 'readLock'),
    );
  }

  /** Takes the lock to read if nobody writes, or wants to; else `null`. */
  tryReadLock(): Guard | null {
    this.check('readLock');
    if (this.pending > 0) return null;
    const guard = this.#turns.read(this, false);
    return guard === BLOCKED ? null : guard;
  }

  /**
   * Takes the lock to read; blocks this thread.
   *
   * @throws {IpcError} EDEADLK when this thread writes, or reads already and somebody waits to write
   */
  readLockSync(options?: Omit<WaitOptions, 'signal'>): Guard {
    const { timeout } = waitOptions(options);
    this.check('readLock');
    return this.runSync(() => this.#turns.read(this, true, true), timeout, 'readLock');
  }

  /**
   * Takes the lock to write; waits while somebody else reads or writes.
   *
   * @param options - how long
   * @returns the guard, as that of a `Mutex`
   * @throws {IpcError} as `readLock` does
   */
  writeLock(options?: WaitOptions): Promise<Guard> {
    return this.begin(options, 'writeLock', (wait) => {
      const { attempt, undo } = this.#turns.writer(this, true);
      return this.run(attempt, wait, 'writeLock', undo);
    });
  }

  /** Takes the lock to write if nobody reads or writes; else `null`. */
  tryWriteLock(): Guard | null {
    this.check('writeLock');
    if (this.pending > 0) return null;
    return this.#turns.tryWrite(this);
  }

  /**
   * Takes the lock to write; blocks this thread.
   *
   * @throws {IpcError} EDEADLK when this thread reads or writes
   */
  writeLockSync(options?: Omit<WaitOptions, 'signal'>): Guard {
    const { timeout } = waitOptions(options);
    this.check('writeLock');
    const { attempt, undo } = this.#turns.writer(this, true, true);
    try {
      return this.runSync(attempt, timeout, 'writeLock');
    } catch (error) {
      throw undo(error);
    }
  }

  /** Reads under the lock while a function runs. */
  withReadLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return holding(() => this.readLock(options), run);
  }

  /** Writes under the lock while a function runs. */
  withWriteLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return holding(() => this.writeLock(options), run);
  }

  /** Makes this lock usable again if it is `ENOTRECOVERABLE`; whether it was. */
  reset(): boolean {
    this.check('reset');
    return this.#turns.word.reset();
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('readLock');
  }
}
