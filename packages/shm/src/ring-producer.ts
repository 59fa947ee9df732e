import type { Bytes, WaitOptions } from '@octoipc/core';
import { BLOCKED, bytes as bytesOf, integer, IpcError, typeError } from '@octoipc/core/kit';

import { RecordWriter } from './record-writer.js';
import { Claim, type RingClaim } from './ring-claim.js';

/**
 * The sending end of a ring.
 *
 * @see {@link ShmRing.producer}
 */
export class RingProducer extends RecordWriter {
  #claim: Claim | undefined;

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
      const isText = typeof messages === 'string';
      if (isText || typeof (messages as Iterable<Bytes> | null)?.[Symbol.iterator] !== 'function') {
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
        if (!this.begin(all[next]!.length)) return this.#blocked();
        next += this.putFrom(all as Uint8Array[], next);
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
   * @returns the room; `null` if the ring is full, it is another producer's turn, or others wait already
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`; EBUSY when there is a claim
   */
  claim(length: number): RingClaim | null {
    integer(length, 'length', 0);
    this.#checkLength(length);
    if (this.waiting > 0 || !this.begin(length)) return null;
    const at = this.reserve(length);
    if (at < 0) {
      this.publish();
      return null;
    }
    const { buffer, byteOffset } = this.bytes;
    this.#claim = new Claim(new Uint8Array(buffer, byteOffset + at, length), this.#endClaim);
    return this.#claim;
  }

  /**
   * Waits until there is room for a message, and takes none: for {@link claim}, which does not wait. Another producer, or
   * another send of this end, may have it first: then `claim` is `null` again.
   *
   * @param length - of the message
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`; EBUSY when there is a claim
   * @throws {IpcError} EOWNERDEAD once when the consumer died and this has to wait
   * @throws {IpcError} EBADMSG when the ring is damaged; ETIMEDOUT when the timeout is over
   */
  writable(length: number, options?: WaitOptions): Promise<void> {
    try {
      this.#checkLength(integer(length, 'length', 0));
      return this.run(() => this.#look(length), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `writable`, but blocks the calling thread. */
  writableSync(length: number, options?: { readonly timeout?: number | undefined }): void {
    this.#checkLength(integer(length, 'length', 0));
    this.runSync(() => this.#look(length), options);
  }

  override close(): void {
    if (this.closed) return;
    this.#claim = undefined;
    super.close();
  }

  readonly #endClaim = (claim: Claim, length: number | undefined): void => {
    if (this.#claim !== claim) return;
    this.#claim = undefined;
    if (this.closed) return;
    this.checkUse();
    if (length !== undefined) this.push(length);
    this.publish();
  };

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
    this.checkWhole();
    if (length > this.maxMessageSize) throw this.tooLong(length);
  }

  #sending(data: Uint8Array): undefined | typeof BLOCKED {
    this.checkAgain(data);
    if (!this.begin(data.length)) return this.#blocked();
    const sent = this.put(data);
    this.publish();
    return sent ? undefined : this.#blocked();
  }

  #look(length: number): undefined | typeof BLOCKED {
    if (!this.begin(length)) return this.#blocked();
    const at = this.reserve(length);
    this.publish();
    return at < 0 ? this.#blocked() : undefined;
  }

  #blocked(): typeof BLOCKED {
    this.look();
    if (this.death) throw this.ownerDead();
    return BLOCKED;
  }
}
