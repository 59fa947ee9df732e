import { IpcError, type IpcErrorDetails, type WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  checkTimeout,
  closedError,
  optionsObject,
  rangeError,
  ResourceHandle,
  waitOptions,
  WaitQueue,
  waitSync,
  type Attempt,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import type { MappedRing, RingStats } from './mapped-ring.js';
import { Bell, SLICE, Waker } from './ring-bell.js';
import { DATA, MAGIC, SEAT, SLEEP, WORD, type RingGeometry } from './ring-layout.js';
import { Seats, takeSeat, type TakenSeat } from './ring-seat.js';
import { PeerWatch } from './ring-watch.js';

const MOST_SPIN = 1_000_000;

/** So many glances between two at the clock. */
const GLANCES = 64;

/** What a forgotten end leaves; refers to nothing but that. */
interface Left {
  bell: Bell | undefined;
  readonly seat: TakenSeat;
}

/**
 * One end of a ring: what producer and consumer have in common.
 *
 * Lifetime: it has its seat until `close()`, else until it is collected or its thread ends. A pending wait
 * keeps it and the process alive.
 */
export abstract class RingEnd extends ResourceHandle {
  /** @internal */
  protected readonly words: Int32Array;
  /** @internal */
  protected readonly bytes: Uint8Array;
  /** The data as words, in which record headers are. @internal */
  protected readonly records: Int32Array;
  /** @internal */
  protected readonly geometry: RingGeometry;
  /** @internal */
  protected readonly seats: Seats;
  /** @internal */
  protected readonly waker: Waker;
  /** @internal */
  protected readonly seat: TakenSeat;
  /** Ours, with what is not published yet. @internal */
  protected here: number;
  /** The other side's, as it was when we last looked. @internal */
  protected there: number;
  /** @internal */
  protected count = 0;
  /** Somebody of the other side died, and was not told of. @internal */
  protected death = false;
  readonly #ring: MappedRing;
  readonly #left: Left;
  readonly #watch: PeerWatch;
  readonly #word: number;
  #queue: WaitQueue | undefined;
  #alive = true;
  #spin = 0;
  #sleeps = 0;

  /** @internal */
  protected constructor(ring: MappedRing, producer: boolean) {
    const { memory, geometry } = ring;
    const producers = [1, geometry.seats] as const;
    const consumer = [0, 0] as const;
    const details = { syscall: 'mmap', target: ring.target };
    const words = memory.view(Int32Array, 0, DATA / 4);
    const bytes = memory.view(Uint8Array, DATA, geometry.capacity);
    const records = memory.view(Int32Array, DATA, geometry.capacity / 4);
    const seat = takeSeat(memory, geometry, producer ? producers : consumer, details);
    const left: Left = { bell: undefined, seat };
    super({
      release() {
        left.bell?.close();
        seat.leave();
      },
    });
    this.#ring = ring;
    this.#left = left;
    this.#word = producer ? WORD.producerSleep : WORD.consumerSleep;
    this.geometry = geometry;
    this.words = words;
    this.bytes = bytes;
    this.records = records;
    this.seat = seat;
    this.seats = new Seats(memory);
    this.waker = new Waker(memory, geometry, this.seats);
    const tail = Atomics.load(words, WORD.tail);
    const head = Atomics.load(words, WORD.head);
    this.here = producer ? tail : head;
    this.there = producer ? head : tail;
    this.#watch = new PeerWatch(this.seats, producer ? consumer : producers);
    this.checkPositions(tail, head);
  }

  /** Bytes of the longest message. */
  get maxMessageSize(): number {
    return this.geometry.maxMessageSize;
  }

  /**
   * For how long, in microseconds, a wait looks again and again before it sleeps: much quicker where the
   * other side is at work on another processor, and a waste of time where it is not. The event loop stands
   * still meanwhile.
   *
   * @default 0
   * @throws {RangeError} ERR_OUT_OF_RANGE when it is no number from 0 to a second
   */
  get spin(): number {
    return this.#spin;
  }

  set spin(microseconds: number) {
    if (!(microseconds >= 0 && microseconds <= MOST_SPIN)) {
      throw rangeError('spin', `from 0 to ${MOST_SPIN}`, microseconds);
    }
    this.#spin = microseconds;
  }

  /** What this end has done so far. */
  get stats(): RingStats {
    return {
      messages: this.count,
      sleeps: this.#sleeps,
      wakes: this.waker.wakes,
      deaths: this.#watch.deaths,
    };
  }

  /** Leaves the ring; pending waits reject with `ERR_CLOSED`. */
  override close(): void {
    if (this.closed) return;
    this.#queue?.fail(closedError(this.describe()));
    super.close();
    this.#ring.ended(this);
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    return this.#setAlive(true);
  }

  /** Pending waits of this end do not keep the process alive. */
  unref(): this {
    return this.#setAlive(false);
  }

  protected override describe(): IpcErrorDetails {
    return this.details(this.seat.index > 0 ? 'send' : 'receive');
  }

  /** @internal */
  protected details(syscall: string): IpcErrorDetails {
    return { syscall, target: this.#ring.target };
  }

  /** Before every use. @internal */
  protected checkUse(): void {
    if (this.closed || this.#ring.memory.closed) throw closedError(this.describe());
  }

  /** How many wait. @internal */
  protected get waiting(): number {
    return this.#queue?.length ?? 0;
  }

  /** Whether the other side, or the lock, has changed so that trying again may succeed. @internal */
  protected abstract isReady(): boolean;

  /** Every 20 ms of a wait. @internal */
  protected abstract mend(): void;

  /** @internal */
  protected checkPositions(tail: number, head: number): void {
    if ((tail - head) >>> 0 > this.geometry.capacity || ((tail | head) & 7) !== 0) {
      throw this.damage();
    }
  }

  /** Another process has written what cannot be: this end is closed. @internal */
  protected damage(): Error {
    const error = this.#whatIsWrong();
    this.#queue?.fail(error);
    this.close();
    return error;
  }

  #whatIsWrong(): Error {
    try {
      // A ring that was cut off is damaged, too; that has a better explanation.
      void this.#ring.memory.buffer;
    } catch (error) {
      return error as Error;
    }
    return new IpcError('EBADMSG', {
      ...this.describe(),
      text: 'the ring is damaged',
      hint: 'some process has written into it what cannot be: unlink it and create it again',
    });
  }

  /** Looks whether anybody of the other side has died, if that was not done just now. @internal */
  protected look(): void {
    if (this.#watch.look()) this.death = true;
  }

  /** @internal */
  protected ownerDead(): IpcError {
    this.death = false;
    const whose = this.seat.index > 0 ? 'the consumer' : 'a producer';
    return new IpcError('EOWNERDEAD', {
      ...this.describe(),
      text: `${whose} died`,
      hint: 'the ring goes on: try again, the next peer joins it as it is',
    });
  }

  /** @internal */
  protected run<T>(attempt: Attempt<T>, options: WaitOptions | undefined): Promise<T> {
    try {
      const wait = waitOptions(options);
      this.checkUse();
      this.#queue ??= this.#makeQueue();
      if (wait.signal?.aborted === true) return Promise.reject(wait.signal.reason as Error);
      return this.#queue.run(() => this.#attempt(attempt, SLEEP.bell, wait.timeout === 0), wait, {
        details: this.describe(),
      });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @internal */
  protected runSync<T>(
    attempt: Attempt<T>,
    options: { readonly timeout?: number | undefined } | undefined,
  ): T {
    const { timeout } = optionsObject<{ readonly timeout?: number | undefined }>(options);
    checkTimeout(timeout);
    this.checkUse();
    if (this.waiting > 0) {
      throw new IpcError('EBUSY', {
        ...this.describe(),
        hint: 'asynchronous calls wait on this end: await them before a blocking one',
      });
    }
    const sleep = (milliseconds: number): void => {
      const slice = Math.min(milliseconds, SLICE);
      binding().futexSleep(this.words, this.#word, this.#asleep, slice);
      this.mend();
    };
    const details = this.describe();
    return waitSync(() => this.#attempt(attempt, SLEEP.futex, timeout === 0), sleep, timeout, {
      details,
    });
  }

  /** What the word was when we lay down. */
  #asleep = 0;

  /** Tries; and again, as long as it may spin; and once more after it has told that it sleeps. */
  #attempt<T>(attempt: Attempt<T>, bit: number, once: boolean): T | typeof BLOCKED {
    this.checkUse();
    let result = attempt() as T | typeof BLOCKED;
    if (result !== BLOCKED) return result;
    // An empty ring may be one that was wiped out, or cut off.
    if (this.words[WORD.magic] !== MAGIC) throw this.damage();
    if (once) return result;
    if (this.#spin > 0 && this.#spinUntilReady()) {
      result = attempt() as T | typeof BLOCKED;
      if (result !== BLOCKED) return result;
    }
    if (bit === SLEEP.bell && this.seat.index > 0) {
      Atomics.store(this.words, this.seats.word(this.seat.index, SEAT.wants), 1);
    }
    this.#asleep = Atomics.or(this.words, this.#word, bit) | bit;
    if (this.isReady()) {
      result = attempt() as T | typeof BLOCKED;
      if (result !== BLOCKED) return result;
    }
    this.#sleeps += 1;
    return BLOCKED;
  }

  #spinUntilReady(): boolean {
    const until = performance.now() + this.#spin / 1000;
    do {
      for (let i = 0; i < GLANCES; i++) if (this.isReady()) return true;
    } while (performance.now() < until);
    return false;
  }

  #makeQueue(): WaitQueue {
    const bell = new Bell(this.geometry, this.seat.index, () => this.mend());
    this.#left.bell = bell;
    if (!this.#alive) bell.ref(false);
    const queue = new WaitQueue(bell);
    queue.ref(this.#alive);
    return queue;
  }

  #setAlive(alive: boolean): this {
    this.#alive = alive;
    this.#queue?.ref(alive);
    this.#left.bell?.ref(alive);
    return this;
  }
}
