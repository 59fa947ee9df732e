import { bytes as bytesOf, IpcError } from '@octoipc/core/kit';

import type { MappedRing } from './mapped-ring.js';
import { RingEnd } from './ring-end.js';
import { KIND, WORD } from './ring-layout.js';

/** A look whether who has the turn lives costs some 10 µs: one each 10 ms, in milliseconds. */
const LOOK = 10;

/** Below this a loop is quicker than TypedArray.prototype.set. */
const SMALL = 32;

const padded = (length: number): number => (length + 7) & ~7;

/** What a message takes from a position on, with the filler that it may need. */
function needOf(length: number, capacity: number, position: number): number {
  const record = 8 + padded(length);
  const rest = capacity - (position & (capacity - 1));
  return record > rest ? record + rest : record;
}

/** An end of a ring as what lays records into it, and publishes them; with others, in turns. */
export abstract class RecordWriter extends RingEnd {
  #published: number;
  #locked = false;
  /** It was another's turn when we last tried: then that is what we wait for. */
  #late = false;
  #looked = 0;
  /** There was no room when we last tried. */
  #full = false;

  /** @internal */
  constructor(ring: MappedRing) {
    super(ring, true);
    this.#published = this.here;
  }

  override close(): void {
    if (this.closed) return;
    if (this.#locked) this.#unlock();
    super.close();
  }

  /** @internal */
  protected override isReady(): boolean {
    if (this.geometry.turns) {
      if (Atomics.load(this.words, WORD.lock) !== 0) return false;
      if (this.#late) return true;
    }
    return Atomics.load(this.words, WORD.head) !== this.there;
  }

  /** @internal */
  protected override mend(): void {
    this.look();
    const lock = Atomics.load(this.words, WORD.lock);
    if (this.geometry.turns && lock !== 0 && lock !== this.seat.turn && this.#isAbandoned(lock)) {
      Atomics.compareExchange(this.words, WORD.lock, lock, 0);
    }
  }

  #isAbandoned(lock: number): boolean {
    const index = lock & 0xff;
    return index === 0 || index > this.geometry.seats || this.seats.isAbandoned(lock);
  }

  /** How many there was room for. @internal */
  protected putFrom(messages: readonly Uint8Array[], first: number): number {
    let next = first;
    try {
      for (; next < messages.length; next++) {
        this.checkAgain(messages[next]!);
        if (!this.put(messages[next]!)) break;
      }
    } finally {
      this.publish();
    }
    return next - first;
  }

  /** A message that has waited: its memory may have been resized since, or transferred away. @internal */
  protected checkAgain(data: Uint8Array): void {
    const { length } = data;
    if (length > this.maxMessageSize) throw this.tooLong(length);
    if (length === 0) bytesOf(data, 'message');
  }

  /** @internal */
  protected tooLong(length: number): IpcError {
    return new IpcError('EMSGSIZE', {
      ...this.describe(),
      hint: `it has ${length} bytes; the ring was created for ${this.maxMessageSize} at most`,
    });
  }

  /** Takes the turn, where producers take turns, for a message of this length. @internal */
  protected begin(length: number): boolean {
    if (!this.geometry.turns || this.#locked) return true;
    const { words } = this;
    if (this.#full && this.#isFull(length)) {
      this.#late = false;
      return false;
    }
    this.#late = !this.#lock() && !this.#lockOfDead();
    if (this.#late) return false;
    this.#locked = true;
    this.here = this.#published = Atomics.load(words, WORD.tail);
    this.there = Atomics.load(words, WORD.head);
    this.checkPositions(this.here, this.there);
    return true;
  }

  /**
   * Whether there is no room for sure, by a look without the turn. Who takes it in vain wakes the others when he
   * gives it back, who would do the same: they would go round for as long as the ring is full.
   */
  #isFull(length: number): boolean {
    const { words } = this;
    const { capacity } = this.geometry;
    // In this order: the tail can only be further by now, and then there is no more room.
    const tail = Atomics.load(words, WORD.tail);
    const head = Atomics.load(words, WORD.head);
    const used = (tail - head) >>> 0;
    if (used > capacity || capacity - used >= needOf(length, capacity, tail)) return false;
    this.there = head;
    return true;
  }

  #lock(): boolean {
    return Atomics.compareExchange(this.words, WORD.lock, 0, this.seat.turn) === 0;
  }

  /** Who died with the lock gives it back to nobody, also where nobody waits for it. */
  #lockOfDead(): boolean {
    const now = performance.now();
    if (now - this.#looked < LOOK) return false;
    this.#looked = now;
    this.mend();
    return this.#lock();
  }

  /** @internal */
  protected put(data: Uint8Array): boolean {
    const { length } = data;
    const { capacity } = this.geometry;
    const { here } = this;
    const record = 8 + padded(length);
    const at = here & (capacity - 1);
    // The usual case: room at once, and no filler.
    if (record <= capacity - at && record <= capacity - ((here - this.there) >>> 0)) {
      this.#store(data, at + 8);
      this.#header(at, length, KIND.message);
      this.here = (here + record) | 0;
      this.count += 1;
      return true;
    }
    const start = this.reserve(length);
    if (start < 0) return false;
    this.#store(data, start);
    this.push(length);
    return true;
  }

  #store(data: Uint8Array, at: number): void {
    const { bytes } = this;
    const { length } = data;
    if (length < SMALL) for (let i = 0; i < length; i++) bytes[at + i] = data[i]!;
    else bytes.set(data, at);
  }

  /** Where the payload goes, -1 if it is full. @internal */
  protected reserve(length: number): number {
    const { capacity } = this.geometry;
    const need = needOf(length, capacity, this.here);
    if (capacity - ((this.here - this.there) >>> 0) < need) {
      this.there = Atomics.load(this.words, WORD.head);
      this.checkPositions(this.here, this.there);
      this.#full = capacity - ((this.here - this.there) >>> 0) < need;
      if (this.#full) return -1;
    }
    return (need > 8 + padded(length) ? 0 : this.here & (capacity - 1)) + 8;
  }

  /** The records of a payload that is in its place. @internal */
  protected push(length: number): void {
    const { capacity } = this.geometry;
    const record = 8 + padded(length);
    const at = this.here & (capacity - 1);
    const rest = capacity - at;
    if (record > rest) {
      this.#header(at, rest - 8, KIND.filler);
      this.here = (this.here + rest) | 0;
      this.#header(0, length, KIND.message);
    } else {
      this.#header(at, length, KIND.message);
    }
    this.here = (this.here + record) | 0;
    this.count += 1;
  }

  #header(at: number, length: number, kind: number): void {
    this.records[at >> 2] = length;
    this.records[(at >> 2) + 1] = kind;
  }

  /** @internal */
  protected publish(): void {
    const { words } = this;
    if (this.here !== this.#published) {
      this.checkIntact();
      this.#published = this.here;
      Atomics.store(words, WORD.tail, this.here);
      if (Atomics.load(words, WORD.consumerSleep) !== 0) this.waker.consumer();
    }
    if (this.#locked) this.#unlock();
  }

  #unlock(): void {
    this.#locked = false;
    Atomics.store(this.words, WORD.lock, 0);
    if (Atomics.load(this.words, WORD.producerSleep) !== 0) this.waker.producers();
  }
}
