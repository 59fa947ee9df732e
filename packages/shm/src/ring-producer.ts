import type { Bytes, WaitOptions } from '@octoipc/core';
import { BLOCKED, bytes as bytesOf, integer, IpcError, typeError } from '@octoipc/core/kit';

import type { MappedRing } from './mapped-ring.js';
import { Claim, type RingClaim } from './ring-claim.js';
import { RingEnd } from './ring-end.js';
import { KIND, WORD } from './ring-layout.js';

/** Below this a loop is quicker than TypedArray.prototype.set. */
const SMALL = 32;

const padded = (length: number): number => (length + 7) & ~7;

/**
 * The sending end of a ring.
 *
 * @see {@link ShmRing.producer}
 */
export class RingProducer extends RingEnd {
  #published: number;
  #locked = false;
  #claim: Claim | undefined;

  /** @internal */
  constructor(ring: MappedRing) {
    super(ring, true);
    this.#published = this.here;
  }

  /**
   * Sends a message; waits while the ring is full.
   *
   * @param message - bytes, or a string as UTF-8; it may change once the promise is settled
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`
   * @throws {IpcError} EOWNERDEAD once, and nothing is sent, when the consumer died and the ring is full
   * @throws {IpcError} EBADMSG when the ring is damaged; ETIMEDOUT when the timeout is over
   */
  send(message: Bytes, options?: WaitOptions): Promise<void> {
    try {
      const data = this.#checked(message);
      return this.run(() => this.#sending(data), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Sends a message if there is room.
   *
   * @returns whether it was sent; false too if others wait already
   */
  trySend(message: Bytes): boolean {
    const data = this.#checked(message);
    return this.waiting === 0 && this.#sending(data) !== BLOCKED;
  }

  /** As `send`, but blocks the calling thread. */
  sendSync(message: Bytes, options?: { readonly timeout?: number | undefined }): void {
    const data = this.#checked(message);
    this.runSync(() => this.#sending(data), options);
  }

  /**
   * Sends messages in their order, and tells the consumer once for all that fit at a time. If it is
   * cancelled, those that were sent before stay sent.
   *
   * @throws {IpcError} EMSGSIZE, and nothing is sent, when one is too long
   */
  sendMany(messages: Iterable<Bytes>, options?: WaitOptions): Promise<void> {
    try {
      if (typeof (messages as Iterable<Bytes> | null)?.[Symbol.iterator] !== 'function') {
        throw typeError('messages', 'an iterable of messages', messages);
      }
      const longest = this.maxMessageSize;
      // A copy: its owner may change it while this waits.
      const all: Bytes[] = Array.isArray(messages) ? messages.slice() : [...messages];
      for (let i = 0; i < all.length; i++) {
        const data = bytesOf(all[i]!, 'message');
        if (data.length > longest) this.#checkLength(data.length);
        all[i] = data;
      }
      this.#checkLength(0);
      let next = 0;
      return this.run(() => {
        if (next === all.length) return undefined;
        if (!this.#begin()) return this.#blocked();
        next += this.#putFrom(all as Uint8Array[], next);
        return next === all.length ? undefined : this.#blocked();
      }, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Room for a message, in the ring itself. Nothing else can be sent until it is committed or aborted,
   * where there are several producers by none of them.
   *
   * @param length - of the message
   * @returns the room; `null` if the ring is full, or it is another producer's turn
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`; EBUSY when there is a claim
   */
  claim(length: number): RingClaim | null {
    integer(length, 'length', 0);
    this.#checkLength(length);
    if (this.waiting > 0 || !this.#begin()) return null;
    const at = this.#reserve(length);
    if (at < 0) {
      this.#publish();
      return null;
    }
    const { buffer, byteOffset } = this.bytes;
    this.#claim = new Claim(new Uint8Array(buffer, byteOffset + at, length), this.#endClaim);
    return this.#claim;
  }

  override close(): void {
    if (this.closed) return;
    this.#claim = undefined;
    if (this.#locked) this.#unlock();
    super.close();
  }

  /** @internal */
  protected override isReady(): boolean {
    if (this.geometry.turns && Atomics.load(this.words, WORD.lock) !== 0) return false;
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

  readonly #endClaim = (claim: Claim, commit: boolean): void => {
    if (this.#claim !== claim) return;
    this.#claim = undefined;
    if (this.closed) return;
    this.checkUse();
    if (commit) this.#push(claim.bytes.length);
    this.#publish();
  };

  #isAbandoned(lock: number): boolean {
    const index = lock & 0xff;
    return index === 0 || index > this.geometry.seats || this.seats.isAbandoned(lock);
  }

  #checked(message: Bytes): Uint8Array {
    const data = bytesOf(message, 'message');
    this.#checkLength(data.length);
    return data;
  }

  #checkLength(length: number): void {
    this.checkUse();
    if (this.#claim !== undefined) {
      throw new IpcError('EBUSY', { ...this.describe(), hint: 'commit or abort the claim first' });
    }
    if (length <= this.maxMessageSize) return;
    throw new IpcError('EMSGSIZE', {
      ...this.describe(),
      hint: `it has ${length} bytes; the ring was created for ${this.maxMessageSize} at most`,
    });
  }

  #sending(data: Uint8Array): undefined | typeof BLOCKED {
    if (!this.#begin()) return this.#blocked();
    const sent = this.#put(data);
    this.#publish();
    return sent ? undefined : this.#blocked();
  }

  /** How many there was room for. */
  #putFrom(messages: readonly Uint8Array[], first: number): number {
    let next = first;
    try {
      while (next < messages.length && this.#put(messages[next]!)) next += 1;
    } finally {
      this.#publish();
    }
    return next - first;
  }

  #blocked(): typeof BLOCKED {
    this.look();
    if (this.death) throw this.ownerDead();
    return BLOCKED;
  }

  /** Takes the turn, where producers take turns. */
  #begin(): boolean {
    if (!this.geometry.turns || this.#locked) return true;
    const { words } = this;
    if (Atomics.compareExchange(words, WORD.lock, 0, this.seat.turn) !== 0) return false;
    this.#locked = true;
    this.here = this.#published = Atomics.load(words, WORD.tail);
    this.there = Atomics.load(words, WORD.head);
    this.checkPositions(this.here, this.there);
    return true;
  }

  #put(data: Uint8Array): boolean {
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
    const start = this.#reserve(length);
    if (start < 0) return false;
    this.#store(data, start);
    this.#push(length);
    return true;
  }

  #store(data: Uint8Array, at: number): void {
    const { bytes } = this;
    const { length } = data;
    if (length < SMALL) for (let i = 0; i < length; i++) bytes[at + i] = data[i]!;
    else bytes.set(data, at);
  }

  /** Where the payload goes, -1 if it is full. */
  #reserve(length: number): number {
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

  /** The records of a payload that is in its place. */
  #push(length: number): void {
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

  #publish(): void {
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
