import type { Subscription } from '@nats-io/transport-node';
import { IpcError, type ChannelTraits, type Receiver, type WaitOptions } from '@octoipc/core';
import { bufferOf, closedError, iterate, waitOptions } from '@octoipc/core/kit';

import { failure } from './failure.js';
import { Inbox } from './inbox.js';
import type { Link } from './link.js';
import { traitsOf } from './message.js';
import type { NatsReceiverOptions } from './options.js';
import type { Place } from './place.js';
import { within } from './within.js';

const PREFETCH = 65_536;

/** Bytes that are kept for a slow consumer, however many messages. */
const MOST_BYTES = 64 * 1024 * 1024;

/** So many messages had no room. */
interface Gap {
  missed: number;
}

/**
 * Receives what is sent while it is there.
 *
 * Lifetime: that of its connection. What comes faster than it is taken has room for `prefetch` messages;
 * beyond, it is dropped, and a receive in its place tells how many.
 */
export class CoreReceiver implements Receiver {
  readonly traits: ChannelTraits;
  readonly #link: Link;
  readonly #prefetch: number;
  readonly #inbox = new Inbox<Buffer | Gap>();
  #subscription: Subscription | undefined;
  #bytes = 0;
  #gap: Gap | undefined;
  #closed = false;

  private constructor(link: Link, options: NatsReceiverOptions) {
    this.#link = link;
    this.#prefetch = options.prefetch ?? PREFETCH;
    this.traits = traitsOf(link, false);
    link.watch((error) => {
      if (error !== undefined) this.#inbox.fail(error);
    });
  }

  /** Subscribes; the server has taken it down when this resolves. */
  static async open(link: Link, place: Place, options: NatsReceiverOptions): Promise<CoreReceiver> {
    const receiver = new CoreReceiver(link, options);
    const details = { syscall: 'subscribe', ...link.details };
    receiver.#subscription = link.nc.subscribe(place.subject, {
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      callback: (error, message) => {
        if (error === null) receiver.#push(message.data);
        else receiver.#inbox.fail(failure(error, details));
      },
    });
    try {
      await within(link.nc.flush(), options, details);
    } catch (error) {
      throw failure(error, details);
    }
    return receiver;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async receive(options?: WaitOptions): Promise<Buffer> {
    const wait = waitOptions(options);
    this.#checkOpen();
    const details = { syscall: 'receive', ...this.#link.details };
    return this.#inbox.take((item) => this.#whole(item), wait, details);
  }

  tryReceive(): Buffer | undefined {
    this.#checkOpen();
    return this.#inbox.tryTake((item) => this.#whole(item));
  }

  /** Messages as they come, until it is closed; leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.receive(wait) });
  }

  /** The server does not ask. */
  async done(): Promise<void> {
    this.#checkOpen();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#subscription?.unsubscribe();
    this.#inbox.close(closedError({ syscall: 'receive', ...this.#link.details }));
    this.#inbox.clear();
    void this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError({ syscall: 'receive', ...this.#link.details });
  }

  #push(data: Uint8Array): void {
    if (this.#inbox.size >= this.#prefetch || this.#bytes + data.length > MOST_BYTES) {
      if (this.#gap === undefined) {
        this.#gap = { missed: 0 };
        this.#inbox.push(this.#gap);
      }
      this.#gap.missed += 1;
      return;
    }
    this.#gap = undefined;
    this.#bytes += data.length;
    this.#inbox.push(bufferOf(data.buffer, data.byteOffset, data.length));
  }

  #whole(item: Buffer | Gap): Buffer {
    if (Buffer.isBuffer(item)) {
      this.#bytes -= item.length;
      return item;
    }
    if (item === this.#gap) this.#gap = undefined;
    throw new IpcError('ENOBUFS', {
      syscall: 'receive',
      ...this.#link.details,
      text: `${item.missed} messages came faster than they were taken, and are lost`,
      hint: 'take them faster, share them out with options.queue, or keep them with nats+jetstream://',
    });
  }
}
