import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  type Attempt,
  closedError,
  IpcError,
  type OwnedResource,
  ResourceHandle,
} from '@octoipc/core/kit';

import type { MappedRing, RingStats } from './mapped-ring.js';
import { PeerWatch } from './peer-watch.js';
import { RING, WORD, type RingGeometry } from './ring-layout.js';
import { openRingBell, RingWaker } from './ring-waker.js';
import { Seats, takeSeat, type TakenSeat } from './seat.js';
import { damageOf, DATA, MAGIC, SEAT } from './shared-header.js';
import { SharedWait, type BellKeeper } from './shared-wait.js';

/** A side that moves on while we look does so some times, not always. */
const TRIES = 10_000;

/** What a forgotten end leaves; refers to nothing but that. */
interface Left extends BellKeeper {
  readonly seat: TakenSeat;
}

/** Of one moment: between the two both sides may go on. */
function positionsIn(words: Int32Array): { tail: number; head: number } {
  let head = Atomics.load(words, WORD.head);
  for (let tries = 0; ; tries++) {
    const tail = Atomics.load(words, WORD.tail);
    const again = Atomics.load(words, WORD.head);
    if (again === head || tries === TRIES) return { tail, head };
    head = again;
  }
}

/** Whether positions can be those of a ring. */
function mayBe({ capacity }: RingGeometry, tail: number, head: number): boolean {
  return (tail - head) >>> 0 <= capacity && ((tail | head) & 7) === 0;
}

/** Not made in a constructor, whose closures would keep what it constructs. */
function leaving(left: Left): OwnedResource {
  return {
    release() {
      left.bell?.close();
      left.seat.leave();
    },
  };
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
  protected readonly waker: RingWaker;
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
  readonly #details: IpcErrorDetails;
  readonly #watch: PeerWatch;
  readonly #wait: SharedWait;

  /** @internal */
  protected constructor(ring: MappedRing, producer: boolean) {
    const { memory, geometry } = ring;
    const details = { syscall: 'mmap', target: ring.target };
    const words = memory.view(Int32Array, 0, DATA / 4);
    const producers = [1, geometry.seats] as const;
    const consumer = [0, 0] as const;
    const bytes = memory.view(Uint8Array, DATA, geometry.capacity);
    const records = memory.view(Int32Array, DATA, geometry.capacity / 4);
    const seat = takeSeat(memory, geometry.namespace, producer ? producers : consumer, details);
    const left: Left = { bell: undefined, seat };
    super(leaving(left));
    this.#ring = ring;
    this.#details = { syscall: producer ? 'send' : 'receive', target: ring.target };
    this.geometry = geometry;
    this.words = words;
    this.bytes = bytes;
    this.records = records;
    this.seat = seat;
    this.seats = new Seats(memory, geometry.namespace);
    this.waker = new RingWaker(memory, geometry, this.seats);
    this.#wait = new SharedWait(
      {
        words,
        sleepWord: producer ? WORD.producerSleep : WORD.consumerSleep,
        magic: RING.magic,
        details: this.#details,
        checkUse: () => this.checkUse(),
        isReady: () => this.isReady(),
        mend: () => this.mend(),
        onlyLooks: false,
        damage: () => this.damage(),
        openBell: () => openRingBell(geometry, seat.index),
        wantBell: () => this.#wantBell(),
      },
      left,
    );
    const { tail, head } = positionsIn(words);
    this.here = producer ? tail : head;
    this.there = producer ? head : tail;
    this.#watch = new PeerWatch(this.seats, producer ? consumer : producers);
    if (mayBe(geometry, tail, head)) return;
    // Not what a subclass makes of it, which is not there yet.
    super.close();
    throw damageOf(RING, memory, details);
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
    return this.#wait.spin;
  }

  set spin(microseconds: number) {
    this.#wait.spin = microseconds;
  }

  /** What this end has done so far. */
  get stats(): RingStats {
    return {
      messages: this.count,
      sleeps: this.#wait.sleeps,
      wakes: this.waker.wakes,
      deaths: this.#watch.deaths,
    };
  }

  /** Leaves the ring; pending waits reject with `ERR_CLOSED`. */
  override close(): void {
    if (this.closed) return;
    if (this.#wait.waiting > 0) this.#wait.fail(closedError(this.describe()));
    super.close();
    this.#ring.ended(this);
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    this.#wait.ref(true);
    return this;
  }

  /** Pending waits of this end do not keep the process alive. */
  unref(): this {
    this.#wait.ref(false);
    return this;
  }

  protected override describe(): IpcErrorDetails {
    return this.#details;
  }

  /** Before every use. @internal */
  protected checkUse(): void {
    if (this.closed || this.#ring.memory.closed) throw closedError(this.describe());
  }

  /** What was wiped out, or cut off, would take messages that nobody gets, and have none. @internal */
  protected checkWhole(): void {
    if (this.words[MAGIC] !== RING.magic) throw this.damage();
  }

  /** Whether somebody has cut the memory off under an access to it. @internal */
  protected get isCut(): boolean {
    return this.#ring.memory.mapping.faulted;
  }

  /** After an access: what was stored, or copied, is of pages that are gone where they were cut off. @internal */
  protected checkIntact(): void {
    if (this.isCut) throw this.damage();
  }

  /** How many wait. @internal */
  protected get waiting(): number {
    return this.#wait.waiting;
  }

  /** Those who wait try again. @internal */
  protected wake(): void {
    this.#wait.wake();
  }

  /** Whether the other side, or the lock, has changed so that trying again may succeed. @internal */
  protected abstract isReady(): boolean;

  /** Every 30 ms of a wait. @internal */
  protected abstract mend(): void;

  /** @internal */
  protected checkPositions(tail: number, head: number): void {
    if (!mayBe(this.geometry, tail, head)) throw this.damage();
  }

  /** Another process has written what cannot be: this end is closed. @internal */
  protected damage(): Error {
    const error = damageOf(RING, this.#ring.memory, this.describe());
    this.#wait.fail(error);
    this.close();
    return error;
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
    return this.#wait.run(attempt, options);
  }

  /** @internal */
  protected runSync<T>(
    attempt: Attempt<T>,
    options: { readonly timeout?: number | undefined } | undefined,
  ): T {
    return this.#wait.runSync(attempt, options);
  }

  #wantBell(): void {
    if (this.seat.index === 0) return;
    Atomics.store(this.words, this.seats.word(this.seat.index, SEAT.wants), 1);
  }
}
