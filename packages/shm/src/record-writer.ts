import type { MappedRing } from './mapped-ring.js';
import { RingEnd } from './ring-end.js';
import { KIND, WORD } from './ring-layout.js';

/** A look whether who has the turn lives costs some 10 µs: one each 10 ms, in milliseconds. */
const LOOK = 10;

/** Below this a loop is quicker than TypedArray.prototype.set. */
const SMALL = 32;

const padded = (length: number): number => (length + 7) & ~7;

/** An end of a ring as what lays records into it, and publishes them; with others, in turns. */
export abstract class RecordWriter extends RingEnd {
  #published: number;
  #locked = false;
  /** It was another's turn when we last tried: then that is what we wait for. */
  #late = false;
  #looked = 0;

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
      while (next < messages.length && this.put(messages[next]!)) next += 1;
    } finally {
      this.publish();
    }
    return next - first;
  }

  /** Takes the turn, where producers take turns. @internal */
  protected begin(): boolean {
    if (!this.geometry.turns || this.#locked) return true;
    const { words } = this;
    this.#late = !this.#lock() && !this.#lockOfDead();
    if (this.#late) return false;
    this.#locked = true;
    this.here = this.#published = Atomics.load(words, WORD.tail);
    this.there = Atomics.load(words, WORD.head);
    this.checkPositions(this.here, this.there);
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
    const record = 8 + padded(length);
    const at = this.here & (capacity - 1);
    const rest = capacity - at;
    const need = record > rest ? record + rest : record;
    if (capacity - ((this.here - this.there) >>> 0) < need) {
      this.there = Atomics.load(this.words, WORD.head);
      this.checkPositions(this.here, this.there);
      if (capacity - ((this.here - this.there) >>> 0) < need) return -1;
    }
    return (record > rest ? 0 : at) + 8;
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
