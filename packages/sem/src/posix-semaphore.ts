import type { WaitOptions } from '@octoipc/core';
import {
  type BLOCKED,
  callback,
  closedError,
  integer,
  IpcError,
  waitOptions,
} from '@octoipc/core/kit';

import { ENDLESS, isEndless } from './endless.js';
import { HeldPermit, type Permit } from './permit.js';
import {
  listNamed,
  openAt,
  openNamed,
  unlinkNamed,
  type OpenedSemaphore,
  type SemaphoreAtOptions,
  type SemaphoreInfo,
  type SemaphoreOpenOptions,
} from './posix-open.js';
import type { LockMemory, Region } from './region.js';
import { SEM_VALUE_MAX, type SemWords } from './sem-words.js';
import { WordHandle } from './word-handle.js';
import { WordSource } from './word-source.js';

/**
 * A POSIX semaphore: permits that processes share, libc's own, so that C and Python take part.
 *
 * A permit has no owner: one that a process held when it died is lost. Where that matters, use a `Mutex`,
 * or a `SysvSemaphoreSet` with `undo`.
 *
 * Lifetime: a named one outlives all processes until somebody unlinks it, the machine restarts, or, if it
 * was created `temporary`, this handle closes. The handle owns a mapping, and no descriptor. Waits are
 * served first come, first served; one that was aborted or timed out has taken no permit.
 *
 * @example
 * ```js
 * import { PosixSemaphore } from '@octoipc/sem';
 *
 * const slots = PosixSemaphore.open('/octoipc-slots', { temporary: true, value: 2 });
 * const permit = await slots.acquire();
 * slots.value; //=> 1
 * permit.release();
 * slots.value; //=> 2
 * slots.close();
 * ```
 * @see sem_overview(7)
 */
export class PosixSemaphore extends WordHandle {
  readonly #words: SemWords;
  readonly #region: Region;

  private constructor({ region, words, target, temporary }: OpenedSemaphore) {
    const release = (): void => {
      region.close();
      temporary?.end();
    };
    const source = new WordSource(
      region,
      () => words.count(1),
      () => words.count(-1),
    );
    super({ release }, source, target);
    this.#words = words;
    this.#region = region;
    this.#source = source;
  }

  readonly #source: WordSource;

  /**
   * Opens a named semaphore, or creates it.
   *
   * @param name - a slash, and up to 250 bytes without one
   * @param options - what to create
   * @returns the semaphore
   * @throws {IpcError} ENOENT when there is none; EEXIST when `exclusive` and there is one
   * @throws {IpcError} EACCES when its mode does not let this user read and write
   * @throws {IpcError} EINVAL when the file of that name in /dev/shm is no semaphore
   * @throws {IpcError} ENAMETOOLONG when the name is longer than 251 bytes
   * @throws {RangeError} ERR_OUT_OF_RANGE when the value is over SEM_VALUE_MAX
   * @see sem_open(3)
   */
  static open(name: string, options?: SemaphoreOpenOptions): PosixSemaphore {
    return new PosixSemaphore(openNamed(name, options));
  }

  /**
   * A semaphore within memory, of 32 bytes: a `sem_t` that sem_init(3) has made, for other processes too if
   * they share the memory.
   *
   * @param memory - a SharedMemory, or a SharedArrayBuffer; the semaphore outlives its `close()`
   * @param byteOffset - a multiple of 8
   * @param options - `init` for the one who makes it
   * @returns the semaphore
   * @throws {IpcError} EINVAL when there is none, or it is private to one process; with musl 32 zeros are one without permits
   * @throws {RangeError} ERR_OUT_OF_RANGE when the offset is misaligned, or the memory too small
   * @throws {IpcError} ERR_CLOSED when the memory is closed
   * @see sem_init(3)
   */
  static at(memory: LockMemory, byteOffset: number, options?: SemaphoreAtOptions): PosixSemaphore {
    return new PosixSemaphore(openAt(memory, byteOffset, options));
  }

  /**
   * Removes the name; those who have it open go on.
   *
   * @throws {IpcError} ENOENT when there is none; EACCES when it is another user's
   * @see sem_unlink(3)
   */
  static unlink(name: string): void {
    unlinkNamed(name);
  }

  /** The named semaphores of this system. */
  static list(): SemaphoreInfo[] {
    return listNamed();
  }

  /** How many permits there are now; 0 while somebody waits. */
  get value(): number {
    if (this.closed) throw closedError(this.details('sem_getvalue'));
    return this.#words.value;
  }

  /**
   * Takes a permit; waits while there is none.
   *
   * @param options - how long
   * @returns the permit
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   * @see sem_wait(3)
   */
  acquire(options?: WaitOptions): Promise<Permit> {
    try {
      const wait = waitOptions(options);
      this.check('sem_wait');
      return this.run(this.#attempt, wait, 'sem_wait');
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Takes a permit if there is one, and nobody waits for it on this handle; else `null`. */
  tryAcquire(): Permit | null {
    this.check('sem_trywait');
    return this.pending === 0 && this.#words.take() ? new HeldPermit(this) : null;
  }

  /**
   * Takes a permit; blocks this thread while there is none.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over; EBUSY when acquires wait already
   * @see sem_clockwait(3)
   */
  acquireSync(options?: Omit<WaitOptions, 'signal'>): Permit {
    const { timeout } = waitOptions(options);
    this.check('sem_clockwait');
    if (this.pending === 0 && this.#words.take()) return new HeldPermit(this);
    this.#words.count(1);
    try {
      return this.runSync(
        this.#attempt,
        timeout,
        'sem_clockwait',
        isEndless(timeout) ? ENDLESS : undefined,
      );
    } finally {
      this.#words.count(-1);
    }
  }

  /**
   * Adds permits, whoever took them.
   *
   * @param count - how many
   * @throws {IpcError} EOVERFLOW when the value would be over SEM_VALUE_MAX; it stays as it was
   * @see sem_post(3)
   */
  release(count = 1): void {
    if (count !== 1) integer(count, 'count', 1, SEM_VALUE_MAX);
    this.check('sem_post');
    const sleepers = this.#words.post(count);
    if (sleepers === 0) return;
    if (sleepers < 0) {
      throw new IpcError('EOVERFLOW', {
        ...this.details('sem_post'),
        hint: `the value is ${this.#words.value}, of ${SEM_VALUE_MAX} at most`,
      });
    }
    this.#region.binding.wordWake(this.#region.index, 0, sleepers);
  }

  /**
   * Holds a permit while a function runs, and gives it back however that ends.
   *
   * @returns what the function returns
   */
  async withPermit<T>(run: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    callback(run, 'run');
    const permit = await this.acquire(options);
    let result: T;
    try {
      result = await run();
    } catch (error) {
      // If it is closed there is nothing to give back to, and what the function threw tells more.
      if (!this.closed) permit.release();
      throw error;
    }
    permit.release();
    return result;
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('sem_wait');
  }

  readonly #attempt = (): Permit | typeof BLOCKED =>
    this.#words.take() ? new HeldPermit(this) : this.#source.blocked(0, this.#words.asleep());
}
