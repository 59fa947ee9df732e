import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, IpcError, waitOptions } from '@octoipc/core/kit';

import { holding, WordGuard, type Guard } from './guard.js';
import { WORD } from './lock-layout.js';
import {
  listLocks,
  lockAt,
  openLock,
  unlinkLock,
  type LockAtOptions,
  type LockFile,
  type OpenedLock,
} from './lock-open.js';
import { OwnedWord, ownerOf, type LockOwner } from './owned-word.js';
import type { LockMemory } from './region.js';
import type { NamedOpenOptions } from './shm-file.js';
import { WordHandle } from './word-handle.js';
import { WordSource } from './word-source.js';

/** A named lock, and who holds it; `null` too where its mode does not let this user look. */
export type LockInfo = LockFile & { readonly owner: LockOwner | null };

/**
 * A lock between processes, and between the workers of one, that survives its owner's death: the next one
 * has it at once, and is told.
 *
 * It is held by the JavaScript thread that took it, by whatever handle: a worker that ends while it holds
 * the lock has died, too. Locking and unlocking make no system call while nobody else wants the lock.
 *
 * Lifetime: a named one outlives all processes until somebody unlinks it, the machine restarts, or, if it
 * was created `temporary`, this handle closes. A handle that is closed while it holds the lock leaves it as
 * if its owner had died. Waits are served first come, first served among those of one handle.
 *
 * @example
 * ```js
 * import { Mutex } from '@octoipc/sem';
 *
 * const mutex = Mutex.open('/octoipc-ledger', { temporary: true });
 * const guard = await mutex.lock();
 * if (guard.recovered) guard.markConsistent(); // after a repair of what the dead owner left
 * guard.unlock();
 * mutex.owner; //=> null
 * mutex.close();
 * ```
 * @see futex(7), set_robust_list(2)
 */
export class Mutex extends WordHandle {
  /** Bytes that one takes in memory. */
  static readonly byteLength = 64;

  readonly #word: OwnedWord;
  readonly #source: WordSource;
  readonly #name: string;

  private constructor(opened: OpenedLock) {
    const word = new OwnedWord(opened);
    const source = new WordSource(opened.region);
    super(word, source, opened.target);
    this.#word = word;
    this.#source = source;
    this.#name = opened.target;
  }

  /**
   * Opens a named lock, or creates it.
   *
   * @param name - a slash, and up to 254 bytes without one
   * @param options - what to create
   * @returns the lock
   * @throws {IpcError} ENOENT when there is none; EEXIST when `exclusive` and there is one
   * @throws {IpcError} EACCES when its mode does not let this user read and write
   * @throws {IpcError} EINVAL when the file of that name in /dev/shm is no mutex
   * @throws {IpcError} ENAMETOOLONG when the name is longer than 255 bytes
   * @throws {IpcError} ENOLCK when this thread has 2,000 locks open; ENOSYS where nobody would be told of the death of an owner
   */
  static open(name: string, options?: NamedOpenOptions): Mutex {
    return new Mutex(openLock('mutex', name, options));
  }

  /**
   * A lock within memory, of 64 bytes.
   *
   * @param memory - a SharedMemory, or a SharedArrayBuffer; the lock outlives its `close()`
   * @param byteOffset - a multiple of 8
   * @param options - `init` for the one who makes it
   * @returns the lock
   * @throws {IpcError} EINVAL when there is none
   * @throws {RangeError} ERR_OUT_OF_RANGE when the offset is misaligned, or the memory too small
   * @throws {IpcError} ERR_CLOSED when the memory is closed
   */
  static at(memory: LockMemory, byteOffset: number, options?: LockAtOptions): Mutex {
    return new Mutex(lockAt('mutex', memory, byteOffset, options));
  }

  /**
   * Removes the name; those who have it open go on.
   *
   * @throws {IpcError} ENOENT when there is none; EACCES when it is another user's
   */
  static unlink(name: string): void {
    unlinkLock('mutex', name);
  }

  /** The named locks of this system, and who holds them. */
  static list(): LockInfo[] {
    return listLocks('mutex', (words) => ({ owner: ownerOf(words) }), { owner: null });
  }

  /**
   * Makes a lock usable again that is `ENOTRECOVERABLE`. Any other stays as it is.
   *
   * @returns whether it was
   * @throws {IpcError} ENOENT when there is none
   */
  static reset(name: string): boolean {
    const mutex = Mutex.open(name);
    try {
      return mutex.reset();
    } finally {
      mutex.close();
    }
  }

  /** Who holds the lock; `null` if nobody does. */
  get owner(): LockOwner | null {
    this.check('owner');
    return this.#word.owner;
  }

  /** How many threads wait for the lock now, of whatever process; many waits of one handle count once. */
  get waiters(): number {
    this.check('waiters');
    return this.#word.sleepers;
  }

  /**
   * Takes the lock; waits while somebody else, or this thread, has it.
   *
   * @param options - how long
   * @returns the guard, by which it is let go
   * @throws {IpcError} ENOTRECOVERABLE when it was poisoned
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   */
  lock(options?: WaitOptions): Promise<Guard> {
    return this.begin(options, 'lock', (wait) => this.#lock(wait));
  }

  /**
   * Takes the lock if nobody has it, and nobody waits for it on this handle; else `null`.
   *
   * @throws {IpcError} ENOTRECOVERABLE when it was poisoned
   */
  tryLock(): Guard | null {
    this.check('lock');
    if (this.pending > 0) return null;
    const guard = this.#attempt(false, false);
    return guard === BLOCKED ? null : guard;
  }

  /**
   * Takes the lock; blocks this thread while somebody else has it.
   *
   * @throws {IpcError} EDEADLK when this thread has it, who could never let it go
   * @throws {IpcError} ENOTRECOVERABLE when it was poisoned
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when locks wait already
   */
  lockSync(options?: Omit<WaitOptions, 'signal'>): Guard {
    const { timeout } = waitOptions(options);
    this.check('lock');
    return this.runSync(this.#blockingAttempt(), timeout, 'lock');
  }

  /**
   * Holds the lock while a function runs, and lets it go however that ends.
   *
   * @param run - gets the guard, which tells whether the last owner died
   * @returns what the function returns
   */
  withLock<T>(run: (guard: Guard) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    return holding(() => this.lock(options), run);
  }

  /** Makes this lock usable again if it is `ENOTRECOVERABLE`; whether it was. */
  reset(): boolean {
    this.check('reset');
    return this.#word.reset();
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('lock');
  }

  /** @internal Takes the lock again for a guard that let it go to wait for a condition. */
  retake(guard: WordGuard): Promise<void> {
    this.check('lock');
    return this.#lock({}).then((taken) => guard.heldAgain(taken.recovered));
  }

  /** @internal */
  refuseSync(): void {
    this.check('lock');
    this.refuseBlocking('lock');
  }

  /** @internal */
  retakeSync(guard: WordGuard): void {
    this.check('lock');
    guard.heldAgain(this.runSync(this.#blockingAttempt(), undefined, 'lock').recovered);
  }

  #lock(wait: WaitOptions): Promise<WordGuard> {
    let again = false;
    return this.run(
      () => {
        const guard = this.#attempt(true, again);
        again = true;
        return guard;
      },
      wait,
      'lock',
    );
  }

  #blockingAttempt(): () => Guard | typeof BLOCKED {
    let again = false;
    return () => {
      const guard = this.#attempt(true, again);
      if (guard === BLOCKED && this.#word.mine) {
        throw new IpcError('EDEADLK', {
          ...this.details('lock'),
          hint: 'this thread has it, and would wait for itself: await lock() instead',
        });
      }
      again = true;
      return guard;
    };
  }

  #attempt(waiting: boolean, others: boolean): WordGuard | typeof BLOCKED {
    const word = this.#word;
    if (!others && word.takeFree()) {
      word.enter();
      return new WordGuard(this, word, this.#name, null, this);
    }
    const taken = word.take(waiting, others, this.#name);
    if (typeof taken === 'number') return this.#source.blocked(WORD, taken);
    word.enter();
    return new WordGuard(this, word, this.#name, taken.dead, this);
  }
}
