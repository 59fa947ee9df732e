import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  closedError,
  integer,
  IpcError,
  optionsObject,
  valueError,
  waitOptions,
  WaitQueue,
  waitSync,
} from '@octoipc/core/kit';

import { Arrivals, type Arrival } from './arrivals.js';
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
import { ASYNC, SLICE, WordHandle } from './word-handle.js';

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
  static readonly byteLength: number = WITH_SLOTS;

  /** How many have to arrive. */
  readonly parties: number;
  readonly #arrivals: Arrivals;
  /** Those who cannot arrive yet. */
  readonly #door: WaitQueue;

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
    this.#door = new WaitQueue(arrivals.door);
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
    const begin = performance.now();
    const attempt = this.#arrivals.arriving();
    // Whoever calls this has arrived when it returns, unless somebody is at it just now.
    let arrival = this.#door.length > 0 ? BLOCKED : attempt();
    if (arrival === BLOCKED) {
      arrival = await this.#door.run(attempt, wait, { details: this.details('arrive') });
    }
    if (arrival === undefined) return true;
    const { signal, timeout } = wait;
    try {
      // It may have arrived some turns ago.
      this.check('arrive');
      if (signal?.aborted === true) throw this.#arrivals.undo(arrival)(signal.reason);
      const left = timeout === undefined ? timeout : timeout - (performance.now() - begin);
      const rest = { signal, timeout: left === undefined ? left : Math.max(left, 0) };
      await this.run(this.#arrivals.attempt(arrival), rest, 'arrive', this.#arrivals.undo(arrival));
    } catch (error) {
      if (arrival.doubtful) await this.#conclude(arrival);
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
    const begin = performance.now();
    const arrival = this.#insideSync(this.#arrivals.arriving(), timeout);
    if (arrival === undefined) return true;
    try {
      const left = timeout && Math.max(timeout - (performance.now() - begin), 0);
      this.runSync(this.#arrivals.attempt(arrival), left, 'arrive');
    } catch (error) {
      this.#arrivals.undo(arrival)(error);
      if (arrival.doubtful) this.#insideSync(this.#arrivals.concluding(arrival), undefined);
      if (!arrival.passed) throw error;
    }
    return false;
  }

  /** Pending waits reject with `ERR_CLOSED`. Closing again does nothing. */
  override close(): void {
    if (this.#door.length > 0) this.#door.fail(closedError(this.describe()));
    super.close();
  }

  /** Pending waits keep the process alive; that is so from the start. */
  override ref(): this {
    return this.#keep(true);
  }

  /** Pending waits of this handle do not keep the process alive. */
  override unref(): this {
    return this.#keep(false);
  }

  /** Blocks until the word can be had. */
  #insideSync<T>(attempt: () => T | typeof BLOCKED, timeout: number | undefined): T {
    const details = this.details('arrive');
    if (this.#door.length > 0) throw new IpcError('EBUSY', { ...details, hint: ASYNC });
    const sleep = (time: number): void => this.#arrivals.door.sleep(Math.min(time, SLICE));
    return waitSync(attempt, sleep, timeout, { details });
  }

  async #conclude(arrival: Arrival): Promise<void> {
    try {
      await this.#door.run(
        this.#arrivals.concluding(arrival),
        {},
        { details: this.details('arrive') },
      );
    } catch {
      // The handle was closed meanwhile: it has not passed.
    }
  }

  #keep(alive: boolean): this {
    this.#arrivals.door.ref(alive);
    this.#door.ref(alive);
    return alive ? super.ref() : super.unref();
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
