import { isIpcError, IpcError, type Bytes, type ChannelTraits, type Sender } from '@octoipc/core';

import { failure } from './failure.js';
import type { Link } from './link.js';
import { payloadOf, sendWait, traitsOf, type SendOptions } from './message.js';
import type { Place } from './place.js';
import { leftOf, within } from './within.js';

/**
 * Sends to whoever is subscribed.
 *
 * Lifetime: that of its connection. A send is over when the server has the message; all sends of one turn
 * of the event loop wait for one answer.
 */
export class CoreSender implements Sender {
  readonly traits: ChannelTraits;
  readonly #link: Link;
  readonly #subject: string;
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(link: Link, place: Place) {
    this.#link = link;
    this.#subject = place.subject;
    this.traits = traitsOf(link, false);
  }

  get closed(): boolean {
    return this.#closed;
  }

  async send(message: Bytes, options?: SendOptions): Promise<void> {
    const wait = sendWait(options);
    this.#link.checkOpen('send');
    const payload = payloadOf(message, this.traits, this.#link.details);
    const left = leftOf(wait);
    if (!this.#link.isUp) await this.#link.up(left());
    const details = { syscall: 'send', ...this.#link.details };
    try {
      this.#link.nc.publish(this.#subject, payload);
      await within(this.#link.unlessLost(this.#flushed()), left(), details);
    } catch (error) {
      if (isIpcError(error, 'ETIMEDOUT') || wait.signal?.aborted === true) throw error;
      this.#link.checkOpen('send');
      const told = failure(error, details);
      if (isIpcError(told, 'EACCES') || !(told instanceof Error)) throw told;
      throw new IpcError('ECONNRESET', {
        ...details,
        text: 'the server was lost before it said that it has the message',
        hint: 'it may or may not be delivered; nats+jetstream:// sends until it is stored, once',
        cause: error,
      });
    }
  }

  /** Hands the message to the client library, which writes it in this turn; false while the server is away. */
  trySend(message: Bytes): boolean {
    this.#link.checkOpen('send');
    const payload = payloadOf(message, this.traits, this.#link.details);
    if (!this.#link.isUp) return false;
    this.#link.nc.publish(this.#subject, payload);
    return true;
  }

  /** What was sent goes out yet. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #flushed(): Promise<void> {
    this.#flushing ??= Promise.resolve().then(() => {
      this.#flushing = undefined;
      return this.#link.nc.flush();
    });
    return this.#flushing;
  }
}
