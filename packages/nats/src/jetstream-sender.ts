import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { nuid } from '@nats-io/transport-node';
import {
  IpcError,
  isIpcError,
  type Bytes,
  type ChannelTraits,
  type Sender,
  type WaitOptions,
} from '@octoipc/core';

import { failure } from './failure.js';
import type { Link } from './link.js';
import { payloadOf, sendWait, traitsOf, type SendOptions } from './message.js';
import type { Place } from './place.js';
import { apiCode } from './stream.js';
import { leftOf, within } from './within.js';

/** So long one attempt has until the server has stored the message, in milliseconds. */
const ATTEMPT = 5000;

/** Between two attempts, in milliseconds. */
const PAUSE = 50;

/** How often a server that has just come back, and does not know its streams yet, is asked again. */
const PATIENCE = 200;

/** The stream has as many messages, or bytes, as it may. */
const FULL: ReadonlySet<number> = new Set([10_077, 10_023, 10_047]);

/**
 * Sends what must survive: a send is over when the server has stored the message. It is repeated until
 * then, under the same id, by which the server knows it again.
 */
export class JetStreamSender implements Sender {
  readonly traits: ChannelTraits;
  readonly #link: Link;
  readonly #subject: string;
  readonly #stream: JetStreamClient;
  #closed = false;

  constructor(link: Link, place: Place) {
    this.#link = link;
    this.#subject = place.subject;
    this.#stream = jetstream(link.nc);
    this.traits = traitsOf(link, true);
  }

  get closed(): boolean {
    return this.#closed;
  }

  async send(message: Bytes, options?: SendOptions): Promise<void> {
    const wait = sendWait(options);
    this.#link.checkOpen('send');
    const payload = payloadOf(message, this.traits, this.#link.details);
    const left = leftOf(wait);
    const msgID = nuid.next();
    for (let silent = 0; ;) {
      if (!this.#link.isUp) await this.#link.up(left());
      const error = await this.#attempt(payload, msgID, left());
      if (error === undefined) return;
      this.#link.checkOpen('send');
      const told = this.#verdict(error, ++silent);
      if (told !== undefined) throw told;
      await this.#pause(left());
    }
  }

  /**
   * Never without waiting: whether the message is stored only the server knows.
   *
   * @returns false
   */
  trySend(message: Bytes): boolean {
    this.#link.checkOpen('send');
    payloadOf(message, this.traits, this.#link.details);
    return false;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Publishes once; undefined when it is stored, the failure when it is not known to be. */
  async #attempt(payload: Buffer, msgID: string, left: WaitOptions): Promise<unknown> {
    const details = {
      syscall: 'send',
      ...this.#link.details,
      hint: 'the message may or may not have been stored by now',
    };
    const stored = this.#stream.publish(this.#subject, payload, { msgID, timeout: ATTEMPT });
    stored.catch(() => {});
    let mine = false;
    try {
      await within(
        this.#link.unlessLost(stored).catch((error: unknown) => {
          mine = true;
          throw error;
        }),
        left,
        details,
      );
      return undefined;
    } catch (error) {
      if (!mine) throw error;
      return error;
    }
  }

  /** What to reject with; undefined where another attempt may succeed. */
  #verdict(error: unknown, attempts: number): unknown {
    const number = apiCode(error);
    if (number !== undefined && FULL.has(number)) return undefined;
    const told = failure(error, { syscall: 'send', ...this.#link.details });
    if (isIpcError(told, 'EACCES')) return told;
    if (isIpcError(told, 'ERR_UNSUPPORTED') && attempts > PATIENCE) {
      return new IpcError('ENOENT', {
        syscall: 'send',
        ...this.#link.details,
        text: 'no stream has the subject any more',
        cause: error,
      });
    }
    if (number !== undefined && number >= 10_000) return told;
    return undefined;
  }

  #pause(left: WaitOptions): Promise<void> {
    const details = { syscall: 'send', ...this.#link.details };
    return within(new Promise((resolve) => setTimeout(resolve, PAUSE)), left, details);
  }
}
