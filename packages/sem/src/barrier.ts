import type { WaitOptions } from '@octoipc/core';
import { integer, optionsObject, valueError, waitOptions, type BLOCKED } from '@octoipc/core/kit';

import {
  FIRST,
  GENERATION,
  SLOT_STATE,
  SLOT_TICKET,
  SLOTS,
  WITH_SLOTS,
  WORD,
} from './lock-layout.js';
import {
  listLocks,
  lockAt,
  openLock,
  unlinkLock,
  type LockAtOptions,
  type LockFile,
  type OpenedLock,
} from './lock-open.js';
import { EVERYBODY, OwnedWord } from './owned-word.js';
import type { LockMemory, Region } from './region.js';
import type { NamedOpenOptions } from './shm-file.js';
import { Slots } from './slots.js';
import { WordHandle } from './word-handle.js';
import { WordSource } from './word-source.js';

/** How a barrier is opened. */
export interface BarrierOptions {
  /** How many have to arrive; of an existing one it must be the same. @default what an existing one has */
  readonly parties?: number | undefined;
}

/** Open named barriers. */
export type BarrierOpenOptions = NamedOpenOptions & BarrierOptions;

/** A barrier in memory. */
export type BarrierAtOptions = LockAtOptions & BarrierOptions;

const ARRIVED = 1;
const SLICE = 20;

/** One who has arrived. */
interface Arrival {
  readonly slot: number;
  readonly generation: number;
  /** The barrier opened just as he gave up. */
  passed: boolean;
}

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
  /** Held for moments, by whoever arrives or gives up. */
  readonly #word: OwnedWord;
  readonly #region: Region;
  readonly #slots: Slots;
  readonly #source: WordSource;
  readonly #name: string;

  private constructor(opened: OpenedLock, { parties }: BarrierOptions) {
    const word = new OwnedWord(opened);
    const found = opened.region.words[FIRST]!;
    if (parties !== undefined && parties !== found) {
      word.release();
      throw valueError(
        'options.parties',
        `must be ${found}, as of the barrier that is there`,
        parties,
      );
    }
    const source = new WordSource(opened.region);
    super(word, source, opened.target);
    this.parties = found;
    this.#word = word;
    this.#region = opened.region;
    this.#slots = new Slots(opened.region);
    this.#source = source;
    this.#name = opened.target;
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
   * @param memory - a SharedMemory, or an (Shared)ArrayBuffer; the barrier outlives its `close()`
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
    return this.#count();
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
    const arrival = this.#arrive();
    if (arrival === undefined) return true;
    try {
      await this.run(this.#attempt(arrival), wait, 'arrive', this.#undo(arrival));
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
    const arrival = this.#arrive();
    if (arrival === undefined) return true;
    try {
      this.runSync(this.#attempt(arrival), timeout, 'arrive');
    } catch (error) {
      this.#undo(arrival)(error);
      if (!arrival.passed) throw error;
    }
    return false;
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('arrive');
  }

  /** undefined for the last one. */
  #arrive(): Arrival | undefined {
    return this.#inside(() => {
      const { words } = this.#region;
      const generation = Atomics.load(words, GENERATION);
      if (this.#count() + 1 >= this.parties) {
        // This one store lets everybody go on.
        Atomics.store(words, GENERATION, (generation + 1) | 0);
        this.#region.binding.wordWake(this.#region.index, 4 * GENERATION, EVERYBODY);
        return undefined;
      }
      const slot = this.#slots.claim(this.#name);
      this.#slots.set(slot, SLOT_TICKET, generation);
      this.#slots.set(slot, SLOT_STATE, ARRIVED);
      return { slot, generation, passed: false };
    });
  }

  #attempt({ slot, generation }: Arrival): () => void | typeof BLOCKED {
    return () => {
      if (Atomics.load(this.#region.words, GENERATION) === generation) {
        return this.#source.blocked(4 * GENERATION, generation);
      }
      this.#slots.end(slot);
    };
  }

  /** Has not arrived after all, unless the barrier is open. */
  #undo(arrival: Arrival): (error: unknown) => unknown {
    return (error) => {
      this.#inside(() => {
        const now = Atomics.load(this.#region.words, GENERATION);
        arrival.passed = now !== arrival.generation;
        this.#slots.end(arrival.slot);
      });
      return error;
    };
  }

  /** Those who have arrived in this round, and live. */
  #count(): number {
    const generation = Atomics.load(this.#region.words, GENERATION);
    let count = 0;
    for (const slot of this.#slots.held()) {
      const arrived = this.#slots.get(slot, SLOT_STATE) === ARRIVED;
      if (arrived && this.#slots.get(slot, SLOT_TICKET) === generation) count += 1;
    }
    return count;
  }

  /** Runs with the word held: one at a time arrives or gives up, each in some microseconds. */
  #inside<T>(run: () => T): T {
    const { binding, index } = this.#region;
    for (let again = false; ; again = true) {
      const taken = this.#word.take(true, again, this.#name);
      if (typeof taken !== 'number') break;
      binding.wordWait(index, 4 * WORD, taken, SLICE);
    }
    try {
      return run();
    } finally {
      this.#word.leave();
    }
  }
}

function checked(options: BarrierOptions | undefined): BarrierOptions {
  const given = optionsObject<BarrierOptions>(options);
  if (given.parties !== undefined) integer(given.parties, 'options.parties', 1, SLOTS);
  return given;
}
