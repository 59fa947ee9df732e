import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, callback, closedError, IpcError, waitOptions } from '@octoipc/core/kit';

import { WordGuard, type Guard } from './guard.js';
import { POISONED, TID, WITH_SLOTS, WORD } from './lock-layout.js';
import {
  listLocks,
  lockAt,
  openLock,
  unlinkLock,
  type LockAtOptions,
  type OpenedLock,
} from './lock-open.js';
import type { LockInfo } from './mutex.js';
import {
  EVERYBODY,
  OwnedWord,
  ownerOf,
  poisoned,
  type LockOwner,
  type Taken,
} from './owned-word.js';
import { ReadGuard, type Reading } from './read-guard.js';
import { Readers, type Obstacle } from './readers.js';
import type { LockMemory } from './region.js';
import type { NamedOpenOptions } from './shm-file.js';
import { WordHandle } from './word-handle.js';
import { WordSource } from './word-source.js';

/** One who wants to write: from the word on, nobody else begins to read. */
interface Writer {
  taken: Exclude<Taken, number> | undefined;
  again: boolean;
}

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
  static readonly byteLength = WITH_SLOTS;

  readonly #word: OwnedWord;
  readonly #readers: Readers;
  readonly #source: WordSource;
  readonly #name: string;

  private constructor(opened: OpenedLock) {
    const word = new OwnedWord(opened);
    const readers = new Readers(word);
    const source = new WordSource(opened.region);
    const release = (): void => {
      readers.release();
      word.release();
    };
    super({ release }, source, opened.target);
    this.#word = word;
    this.#readers = readers;
    this.#source = source;
    this.#name = opened.target;
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
   * @param memory - a SharedMemory, or an (Shared)ArrayBuffer; the lock outlives its `close()`
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
    this.#check('owner');
    return this.#word.owner;
  }

  /** The processes that read now. */
  get readers(): number[] {
    this.#check('readers');
    return this.#readers.pids;
  }

  /** How many threads wait for who writes, or wants to. */
  get waiters(): number {
    this.#check('waiters');
    return this.#word.sleepers;
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
    return this.#promise(options, 'readLock', (wait) =>
      this.run(() => this.#read(true), wait, 'readLock'),
    );
  }

  /** Takes the lock to read if nobody writes, or wants to; else `null`. */
  tryReadLock(): Guard | null {
    this.#check('readLock');
    if (this.pending > 0) return null;
    const guard = this.#read(false);
    return guard === BLOCKED ? null : guard;
  }

  /**
   * Takes the lock to read; blocks this thread.
   *
   * @throws {IpcError} EDEADLK when this thread writes
   */
  readLockSync(options?: Omit<WaitOptions, 'signal'>): Guard {
    const { timeout } = waitOptions(options);
    this.#check('readLock');
    return this.runSync(() => this.#read(true, true), timeout, 'readLock');
  }

  /**
   * Takes the lock to write; waits while somebody else reads or writes.
   *
   * @param options - how long
   * @returns the guard, as that of a `Mutex`
   * @throws {IpcError} as `readLock` does
   */
  writeLock(options?: WaitOptions): Promise<Guard> {
    return this.#promise(options, 'writeLock', (wait) => {
      const writer: Writer = { taken: undefined, again: false };
      return this.run(() => this.#write(writer, true), wait, 'writeLock', this.#undo(writer));
    });
  }

  /** Takes the lock to write if nobody reads or writes; else `null`. */
  tryWriteLock(): Guard | null {
    this.#check('writeLock');
    if (this.pending > 0) return null;
    const writer: Writer = { taken: undefined, again: false };
    const guard = this.#write(writer, false);
    if (guard !== BLOCKED) return guard;
    this.#undo(writer)(undefined);
    return null;
  }

  /**
   * Takes the lock to write; blocks this thread.
   *
   * @throws {IpcError} EDEADLK when this thread reads or writes
   */
  writeLockSync(options?: Omit<WaitOptions, 'signal'>): Guard {
    const { timeout } = waitOptions(options);
    this.#check('writeLock');
    const writer: Writer = { taken: undefined, again: false };
    const undo = this.#undo(writer);
    try {
      return this.runSync(() => this.#write(writer, true, true), timeout, 'writeLock');
    } catch (error) {
      throw undo(error);
    }
  }

  /** Reads under the lock while a function runs. */
  withReadLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return this.#with(() => this.readLock(options), run);
  }

  /** Writes under the lock while a function runs. */
  withWriteLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return this.#with(() => this.writeLock(options), run);
  }

  /** Makes this lock usable again if it is `ENOTRECOVERABLE`; whether it was. */
  reset(): boolean {
    this.#check('reset');
    return this.#word.reset();
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('readLock');
  }

  readonly #reading: Reading = {
    isClosed: () => this.closed,
    stopReading: () => this.#readers.leave(),
  };

  #read(waiting: boolean, blocking = false): Guard | typeof BLOCKED {
    if (Atomics.load(this.#word.words, WORD) === POISONED) throw poisoned(this.#name);
    const obstacle = this.#readers.enter(waiting, this.#name);
    if (obstacle !== undefined) return this.#blocked(obstacle, blocking);
    if (Atomics.load(this.#word.words, WORD) === POISONED) {
      this.#readers.leave();
      throw poisoned(this.#name);
    }
    return new ReadGuard(this.#reading, this.#name, this.#readers.dead);
  }

  #write(writer: Writer, waiting: boolean, blocking = false): Guard | typeof BLOCKED {
    const word = this.#word;
    if (writer.taken === undefined) {
      const taken = word.take(waiting, writer.again, this.#name);
      if (typeof taken === 'number') {
        writer.again = true;
        return this.#blocked({ at: WORD, value: taken }, blocking);
      }
      writer.taken = taken;
    }
    const obstacle = this.#readers.obstacle(waiting);
    if (obstacle !== undefined) return this.#blocked(obstacle, blocking);
    const { dead } = writer.taken;
    writer.taken = undefined;
    word.enter();
    return new WordGuard(word, this.#name, dead, undefined, EVERYBODY);
  }

  /** Who gives up writing lets those go on whom he has stopped. */
  #undo(writer: Writer): (error: unknown) => unknown {
    return (error) => {
      if (writer.taken !== undefined) this.#word.back(writer.taken);
      writer.taken = undefined;
      return error;
    };
  }

  #blocked({ at, value }: Obstacle, blocking: boolean): typeof BLOCKED {
    if (blocking && (value & TID) === this.#word.tid) {
      throw new IpcError('EDEADLK', {
        ...this.details('lock'),
        hint: 'this thread has it, and would wait for itself: await the lock instead',
      });
    }
    return this.#source.blocked(4 * at, value);
  }

  #promise<T>(
    options: WaitOptions | undefined,
    syscall: string,
    run: (wait: WaitOptions) => Promise<T>,
  ): Promise<T> {
    try {
      const wait = waitOptions(options);
      this.#check(syscall);
      return run(wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async #with<T>(take: () => Promise<Guard>, run: (guard: Guard) => T | Promise<T>): Promise<T> {
    callback(run, 'run');
    const guard = await take();
    try {
      return await run(guard);
    } finally {
      guard[Symbol.dispose]();
    }
  }

  #check(syscall: string): void {
    if (this.closed) throw closedError(this.details(syscall));
  }
}
