import { jetstream, type Consumer, type ConsumerMessages, type JsMsg } from '@nats-io/jetstream';
import type { ChannelTraits, Receiver, WaitOptions } from '@octoipc/core';
import { bufferOf, closedError, iterate, waitOptions } from '@octoipc/core/kit';

import { failure } from './failure.js';
import { Inbox } from './inbox.js';
import { Ledger, type Delivery } from './ledger.js';
import type { Link } from './link.js';
import { traitsOf } from './message.js';
import type { NatsReceiverOptions } from './options.js';
import type { Place } from './place.js';
import { joinGroup, type StreamOf } from './stream.js';

const PREFETCH = 32;

/** A pull is renewed after so many milliseconds. */
const EXPIRES = 30_000;

/** The server says so often that a pull is still there, in milliseconds; two that do not come end it. */
const HEARTBEAT = 1000;

const PAUSE = 100;

/**
 * Receives what a stream keeps, together with the other receivers of its group.
 *
 * Lifetime: that of its connection. It pulls `prefetch` messages at most, and says of all that it has, while
 * it lives, that they are being worked on; `close()` gives back what is not acknowledged.
 */
export class JetStreamReceiver implements Receiver {
  readonly traits: ChannelTraits;
  readonly #link: Link;
  readonly #prefetch: number;
  readonly #manual: boolean;
  readonly #ledger: Ledger;
  readonly #inbox: Inbox<Delivery>;
  /** What `receive` and `tryReceive` have handed out; each iterator has its own. */
  readonly #handedOut: Delivery[] = [];
  #consumer: Consumer | undefined;
  #pull: ConsumerMessages | undefined;
  #room: (() => void) | undefined;
  #closed = false;

  private constructor(link: Link, options: NatsReceiverOptions) {
    this.#link = link;
    this.#prefetch = options.prefetch ?? PREFETCH;
    this.#manual = options.acknowledge === 'manual';
    this.#ledger = new Ledger(options.ackWait ?? EXPIRES);
    this.#inbox = new Inbox((size) => {
      if (size <= this.#prefetch / 2) this.#room?.();
    });
    this.traits = traitsOf(link, true);
    link.watch((error) => {
      if (error !== undefined) this.#inbox.fail(error);
      // A pull of a connection that is gone gets nothing any more.
      if (!link.isUp) void this.#pull?.close();
      this.#room?.();
    });
  }

  static async open(
    link: Link,
    place: Place,
    stream: StreamOf,
    options: NatsReceiverOptions,
  ): Promise<JetStreamReceiver> {
    const group = await joinGroup(stream, link, place, options);
    const receiver = new JetStreamReceiver(link, options);
    const consumer = await jetstream(link.nc).consumers.get(stream.name, group);
    void receiver.#run(consumer);
    return receiver;
  }

  get closed(): boolean {
    return this.#closed;
  }

  receive(options?: WaitOptions): Promise<Buffer> {
    return this.#receive(options, this.#handedOut);
  }

  tryReceive(): Buffer | undefined {
    this.#checkOpen();
    this.#proceed(this.#handedOut);
    return this.#inbox.tryTake((delivery) => this.#handOut(delivery, this.#handedOut));
  }

  /** Resolves when the server has taken down that what was handed out so far is done with. */
  async done(): Promise<void> {
    this.#checkOpen();
    const confirmed = this.#ledger.handedOut().map((delivery) => this.#confirm(delivery));
    await Promise.all(confirmed);
  }

  /** Messages as they come, until it is closed; to ask for the next says that the last is done with. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    const own: Delivery[] = [];
    return iterate<Buffer>({ handle: this, receive: (wait) => this.#receive(wait, own) });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inbox.close(closedError({ syscall: 'receive', ...this.#link.details }));
    this.#inbox.clear();
    this.#room?.();
    void this.#depart();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The pull ends first: what is given back would come to it again. And the server must have seen that:
   * asked about the group, it looks who is still there. nats-server 2.9 counts a pull that has ended as one that
   * waits, and loses the message that it takes for it until `ackWait`.
   */
  async #depart(): Promise<void> {
    await this.#pull?.close();
    if (this.#link.isUp) await this.#consumer?.info().catch(() => undefined);
    this.#ledger.giveBack();
    await this.#link.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError({ syscall: 'receive', ...this.#link.details });
  }

  async #receive(options: WaitOptions | undefined, before: Delivery[]): Promise<Buffer> {
    const wait = waitOptions(options);
    wait.signal?.throwIfAborted();
    this.#checkOpen();
    this.#proceed(before);
    const details = { syscall: 'receive', ...this.#link.details };
    return this.#inbox.take((delivery) => this.#handOut(delivery, before), wait, details);
  }

  /** Who asks for the next is done with what he had. */
  #proceed(before: Delivery[]): void {
    if (this.#manual) return;
    for (const delivery of before.splice(0)) this.#ledger.acknowledge(delivery);
  }

  #handOut(delivery: Delivery, to: Delivery[]): Buffer {
    delivery.handedOut = true;
    if (!this.#manual) to.push(delivery);
    const { data } = delivery.message;
    return bufferOf(data.buffer, data.byteOffset, data.length);
  }

  /** Acknowledges until the server says that it knows. */
  async #confirm(delivery: Delivery): Promise<void> {
    for (;;) {
      this.#checkOpen();
      await this.#link.up({});
      try {
        const known = await this.#link.unlessLost(delivery.message.ackAck());
        if (known) break;
      } catch (error) {
        const told = failure(error, { syscall: 'done', ...this.#link.details });
        if (!this.#link.isUp) continue;
        throw told;
      }
      await pause();
    }
    this.#ledger.forget(delivery);
  }

  /** Pulls for as long as it is open, never more than there is room for. */
  async #run(consumer: Consumer): Promise<void> {
    this.#consumer = consumer;
    while (!this.#closed) {
      try {
        await this.#link.up({});
        const room = this.#prefetch - this.#inbox.size;
        if (room < 1 || this.#inbox.size > this.#prefetch / 2) {
          await new Promise<void>((resolve) => {
            this.#room = resolve;
          });
          continue;
        }
        this.#pull = await consumer.fetch({
          max_messages: room,
          expires: EXPIRES,
          idle_heartbeat: HEARTBEAT,
        });
        for await (const message of this.#pull) this.#take(message);
      } catch (error) {
        if (this.#closed || this.#link.isOver) return;
        const told = failure(error, { syscall: 'receive', ...this.#link.details });
        if (isOver(error)) {
          this.#inbox.fail(told);
          return;
        }
        await pause();
      }
    }
  }

  #take(message: JsMsg): void {
    const delivery = this.#ledger.enter(message);
    if (delivery === undefined) return;
    // It came after the end: somebody else shall have it.
    if (this.#closed) this.#ledger.giveBack();
    else this.#inbox.push(delivery);
  }
}

/** Whether there is nothing more to pull from: the stream or the group was deleted. */
function isOver(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 10_014 || code === 10_059 || (code === 409 && /deleted/i.test(String(error)));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}
