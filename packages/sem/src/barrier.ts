import type { WaitOptions } from '@octoipc/core';
import { integer, optionsObject, valueError, waitOptions } from '@octoipc/core/kit';

import { Arrivals } from './arrivals.js';
import { FIRST, SLOTS, WITH_SLOTS } from './lock-layout.js';
import {
  listLocks,
  lockAt,
  openLock,
  unlinkLock,
  type LockAtOptions,
  type LockFile,
  type OpenedLock,
} from './lock-open.js';
import type { LockMemory } from './region.js';
import type { NamedOpenOptions } from './shm-file.js';
import { WordHandle } from './word-handle.js';

/** How a barrier is opened. */
export interface BarrierOptions {
  /** How many have to arrive; of an existing one it must be the same. @default what an existing one has */
  readonly parties?: number | undefined;
}

/** Open named barriers. */
export type BarrierOpenOptions = NamedOpenOptions & BarrierOptions;

/** A barrier in memory. */
export type BarrierAtOptions = LockAtOptions & BarrierOptions;

/**
 * A barrier between processes: whoever arrives waits until so many have, then all go on, and it is closed
 * again for the next round.
 *
 * Who gives up waiting, or dies while it waits, has not arrived: the others wait for another one.
 *
 * Lifetime: a named one outlives all processes until somebody unlinks it, the machine restarts, or, if it
 * was created `temporary`, this handle closes.
 *
 * @example
 * ```js
 * import { Barrier } from '@octoipc/sem';
 *
 * const barrier = Barrier.open('/octoipc-start', { temporary: true, parties: 2 });
 * const first = barrier.arrive();
 * await barrier.arrive(); //=> true
 * await first; //=> false
 * barrier.close();
 * ```
 * @see pthread_barrier_wait(3)
 */
export class Barrier extends WordHandle {
  /** Bytes that one takes in memory. */
  static readonly byteLength = WITH_SLOTS;

  /** How many have to arrive. */
  readonly parties: number;
  readonly #arrivals: Arrivals;

  private constructor(opened: OpenedLock, { parties }: BarrierOptions) {
    const arrivals = new Arrivals(opened);
    const found = arrivals.parties;
    if (parties !== undefined && parties !== found) {
      arrivals.release();
      throw valueError(
        'options.parties',
        `must be ${found}, as of the barrier that is there`,
        parties,
      );
    }
    super(arrivals, arrivals.source, opened.target);
    this.parties = found;
    this.#arrivals = arrivals;
  }

  /**
   * Opens a named barrier, or creates it.
   *
   * @param name - a slash, and up to 254 bytes without one
   * @param options - what to create, and for how many
   * @returns the barrier
   * @throws {IpcError} as `Mutex.open` does
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when an existing one is for another number
   * @throws {RangeError} ERR_OUT_OF_RANGE when parties is not 1 to 1,016
   */
  static open(name: string, options?: BarrierOpenOptions): Barrier {
    const given = checked(options);
    const { parties = 1 } = given;
    return new Barrier(openLock('barrier', name, options, [[FIRST, parties]]), given);
  }

  /**
   * A barrier within memory, of `Barrier.byteLength` bytes.
   *
   * @param memory - a SharedMemory, or a SharedArrayBuffer; the barrier outlives its `close()`
   * @param byteOffset - a multiple of 8
   * @param options - `init` for the one who makes it, and for how many
   * @returns the barrier
   * @throws {IpcError} as `Mutex.at` does
   */
  static at(memory: LockMemory, byteOffset: number, options?: BarrierAtOptions): Barrier {
    const given = checked(options);
    const { parties = 1 } = given;
    return new Barrier(lockAt('barrier', memory, byteOffset, options, [[FIRST, parties]]), given);
  }

  /** Removes the name; those who have it open go on. */
  static unlink(name: string): void {
    unlinkLock('barrier', name);
  }

  /** The named barriers of this system, and for how many they are. */
  static list(): (LockFile & { readonly parties: number | null })[] {
    return listLocks<{ parties: number | null }>(
      'barrier',
      (words) => ({ parties: words[FIRST] ?? null }),
      { parties: null },
    );
  }

  /** How many have arrived, and wait for the others. */
  get arrived(): number {
    this.check('arrived');
    return this.#arrivals.count();
  }

  /**
   * Arrives, and waits until all have.
   *
   * @param options - how long
   * @returns true for the one who came last, whom the others have waited for
   * @throws {IpcError} ETIMEDOUT when the timeout is over; then it has not arrived
   * @throws {IpcError} EAGAIN when 1,016 wait already
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   */
  async arrive(options?: WaitOptions): Promise<boolean> {
    const wait = waitOptions(options);
    this.check('arrive');
    wait.signal?.throwIfAborted();
    const arrival = this.#arrivals.arrive();
    if (arrival === undefined) return true;
    try {
      await this.run(this.#arrivals.attempt(arrival), wait, 'arrive', this.#arrivals.undo(arrival));
    } catch (error) {
      if (!arrival.passed) throw error;
    }
    return false;
  }

  /**
   * Arrives, and blocks this thread until all have.
   *
   * @throws {IpcError} EBUSY when others of this handle wait already
   */
  arriveSync(options?: Omit<WaitOptions, 'signal'>): boolean {
    const { timeout } = waitOptions(options);
    this.check('arrive');
    const arrival = this.#arrivals.arrive();
    if (arrival === undefined) return true;
    try {
      this.runSync(this.#arrivals.attempt(arrival), timeout, 'arrive');
    } catch (error) {
      this.#arrivals.undo(arrival)(error);
      if (!arrival.passed) throw error;
    }
    return false;
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('arrive');
  }
}

function checked(options: BarrierOptions | undefined): BarrierOptions {
  const given = optionsObject<BarrierOptions>(options);
  if (given.parties !== undefined) integer(given.parties, 'options.parties', 1, SLOTS);
  return given;
}
