import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  bufferOf,
  callback,
  integer,
  IpcError,
  iterate,
  optionsObject,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { CopySlab } from './copy-slab.js';
import { EBADMSG } from './errno.js';
import { RecordReader } from './record-reader.js';
import { KIND, WORD } from './ring-layout.js';

/** How many messages are received at once, and for how long they are waited for. */
export interface RingReceiveManyOptions extends WaitOptions {
  /** No more than so many. @default Infinity: all that are there, up to 65536 */
  readonly max?: number | undefined;
}

const MOST = 65_536;

const BATCH = 4096;
/** Where messages are in the slab; and the new head. */
const found = new Int32Array(2 * BATCH + 1);

const padded = (length: number): number => (length + 7) & ~7;

function maxOf(options: { readonly max?: number | undefined } | undefined): number {
  const { max = Infinity } = optionsObject<{ readonly max?: number | undefined }>(options);
  return max === Infinity ? max : integer(max, 'options.max', 1);
}

/** What messages are copied to. */
const slab = new CopySlab(256 * 1024, 32 * 1024);

/**
 * The receiving end of a ring.
 *
 * @see {@link ShmRing.consumer}
 */
export class RingConsumer extends RecordReader implements AsyncIterable<Buffer> {
  #inside = false;

  /**
   * Takes the next message; waits while there is none.
   *
   * @throws {IpcError} EOWNERDEAD once when a producer died, after all that it had sent; then the ring goes on
   * @throws {IpcError} EBADMSG when the ring is damaged: it is closed then
   * @throws {IpcError} ETIMEDOUT when the timeout is over; ERR_CLOSED when it is closed
   */
  receive(options?: WaitOptions): Promise<Buffer> {
    return this.run(this.#one, options);
  }

  /** Takes the next message if there is one; `undefined` if there is none, or others wait already. */
  tryReceive(): Buffer | undefined {
    this.checkUse();
    if (this.waiting > 0) return undefined;
    const message = this.#one();
    return message === BLOCKED ? undefined : message;
  }

  /** As `receive`, but blocks the calling thread. */
  receiveSync(options?: { readonly timeout?: number | undefined }): Buffer {
    this.#checkOutside();
    return this.runSync(this.#one, options);
  }

  /**
   * Takes all messages that are there, by few native calls; waits while there is none.
   *
   * @returns the messages in their order, at least one
   */
  receiveMany(options?: RingReceiveManyOptions): Promise<Buffer[]> {
    try {
      const max = Math.min(maxOf(options), MOST);
      return this.run(() => this.#many(max), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Calls back for each message that is there, or comes in the meantime, up to what the ring holds twice, with the message in the ring itself. It is the ring's again
   * as soon as this returns: copy what is to be kept. What another process writes into it meanwhile, it sees.
   *
   * @param fn - if it throws, this does; that message and those before count as taken
   * @returns how many there were; 0 too while others wait already
   */
  consume(fn: (view: Uint8Array) => void, options?: { readonly max?: number | undefined }): number {
    callback(fn, 'fn');
    const max = maxOf(options);
    this.checkUse();
    // A callback may call back here: it would be given the messages that it was given.
    if (this.waiting > 0 || this.#inside) return 0;
    const { records } = this;
    const { buffer, byteOffset } = this.bytes;
    const { capacity, maxMessageSize } = this.geometry;
    let published = this.here;
    let { here, there } = this;
    this.#inside = true;
    let count = 0;
    let looked = false;
    try {
      while (count < max) {
        let at = here & (capacity - 1);
        // Once: another process may change them while they are looked at.
        let length = records[at >> 2]! >>> 0;
        const kind = records[(at >> 2) + 1]!;
        const record = 8 + padded(length);
        const usual = kind === KIND.message && length <= maxMessageSize;
        if (!usual || record > (there - here) >>> 0 || record > capacity - at) {
          // Once, or who sends without end would keep us here.
          if (here === there && looked) break;
          looked ||= here === there;
          at = this.peek(here) - 8;
          if (at < 0) break;
          ({ here, there } = this);
          length = this.messageLength;
        }
        if ((here - published) >>> 0 >= capacity / 4) {
          // The producer goes on meanwhile.
          this.here = published = here;
          this.publish();
        }
        here = this.here = (here + 8 + padded(length)) | 0;
        count += 1;
        fn(new Uint8Array(buffer, byteOffset + at + 8, length));
        if (this.closed) return count;
      }
    } finally {
      this.#inside = false;
      this.count += count;
      if (this.here !== published && !this.closed) this.publish();
      // Who has begun to wait in a callback could have nothing.
      if (this.waiting > 0) this.wake();
    }
    this.checkIntact();
    if (count === 0) this.checkDeath();
    return count;
  }

  /**
   * Waits until there is a message, and takes none: for {@link consume}, which does not wait. Whatever else receives
   * at this end may have it first.
   *
   * @throws {IpcError} EOWNERDEAD once when a producer died, after all that it had sent; then the ring goes on
   * @throws {IpcError} EBADMSG when the ring is damaged: it is closed then
   * @throws {IpcError} ETIMEDOUT when the timeout is over; ERR_CLOSED when it is closed
   */
  readable(options?: WaitOptions): Promise<void> {
    return this.run(this.#look, options);
  }

  /** As `readable`, but blocks the calling thread. */
  readableSync(options?: { readonly timeout?: number | undefined }): void {
    this.#checkOutside();
    this.runSync(this.#look, options);
  }

  override close(): void {
    // What a callback has seen is taken, also if it closes us.
    if (this.#inside && !this.closed) this.publish();
    super.close();
  }

  /** Messages as they come, until the end is closed. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.receive(wait) });
  }

  /** What a callback of `consume` would block for comes only when it has returned. */
  #checkOutside(): void {
    this.checkUse();
    if (!this.#inside) return;
    const hint = 'wait after consume(), not in its callback, whose message is not taken yet';
    throw new IpcError('EBUSY', { ...this.describe(), hint });
  }

  /** Where the next message is; -1 where there is none. What was published before a death comes before it. */
  #next(): number {
    if (this.#inside) return -1;
    let at = this.peek();
    if (at >= 0 || !this.sawDeath()) return at;
    at = this.peek();
    if (at < 0) throw this.ownerDead();
    return at;
  }

  readonly #look = (): undefined | typeof BLOCKED => (this.#next() < 0 ? BLOCKED : undefined);

  readonly #one = (): Buffer | typeof BLOCKED => {
    const at = this.#next();
    if (at < 0) return BLOCKED;
    const length = this.messageLength;
    const message = slab.copy(this.bytes, this.records, at, length);
    this.checkIntact();
    this.here = (this.here + 8 + padded(length)) | 0;
    this.count += 1;
    this.publish();
    return message;
  };

  #many(max: number): Buffer[] | typeof BLOCKED {
    const messages: Buffer[] = [];
    if (this.#inside) return BLOCKED;
    if (!this.isReady() && !(this.sawDeath() && this.isReady())) {
      if (this.death) throw this.ownerDead();
      return BLOCKED;
    }
    this.there = Atomics.load(this.words, WORD.tail);
    let stuck = false;
    while (messages.length < max && this.here !== this.there) {
      if (this.#drain(messages, max)) {
        stuck = false;
      } else if (messages.length === 0) {
        const one = this.#one();
        if (one === BLOCKED) break;
        messages.push(one);
      } else if (stuck) {
        break; // Too long for a slab, or damaged: the next call's.
      } else {
        stuck = true;
      }
      this.publish();
    }
    return messages.length === 0 ? BLOCKED : messages;
  }

  /** Whether there was a message, and room for it. */
  #drain(messages: Buffer[], max: number): boolean {
    slab.need(8);
    const most = Math.min(BATCH, max - messages.length);
    const room = most === BATCH ? found : found.subarray(0, 2 * most + 1);
    const count = binding().ringDrain(
      this.bytes,
      this.here >>> 0,
      this.there >>> 0,
      this.maxMessageSize,
      slab.bytes,
      slab.used,
      room,
    );
    if (count === EBADMSG || this.isCut) {
      if (messages.length > 0) return false;
      throw this.damage();
    }
    const { memory } = slab;
    for (let i = 0; i < count; i++) {
      messages.push(bufferOf(memory, room[2 * i]!, room[2 * i + 1]!));
    }
    if (count > 0) slab.used = room[2 * count - 2]! + padded(room[2 * count - 1]!);
    this.here = room[2 * count]!;
    this.count += count;
    if (count > 0) return true;
    // Only a filler was there, or the slab is at its end.
    slab.used = slab.bytes.length;
    return false;
  }
}
