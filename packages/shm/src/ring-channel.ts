import type { Bytes, ChannelTraits, Receiver, Sender, WaitOptions } from '@octoipc/core';
import { optionsObject, typeError, valueError } from '@octoipc/core/kit';

import type { RingConsumer } from './ring-consumer.js';
import type { RingProducer } from './ring-producer.js';
import { ShmRing } from './ring.js';

/**
 * A ring as the sending end of a channel of messages.
 *
 * @param ring - the sender owns it from now on
 * @returns a sender
 * @throws {IpcError} EBUSY when the ring has all its producers
 * @example
 * ```js
 * import { json, withCodec } from '@octoipc/core';
 * import { ShmRing, shmReceiver, shmSender } from '@octoipc/shm';
 *
 * const name = '/octoipc-doc-channel';
 * const inbox = withCodec(shmReceiver(ShmRing.create(name, { capacity: 65536, temporary: true })), json);
 * const outbox = withCodec(shmSender(ShmRing.attach(name)), json);
 * await outbox.send({ task: 'resize' });
 * await inbox.receive(); //=> { task: 'resize' }
 * outbox.close();
 * inbox.close();
 * ```
 */
export function shmSender(ring: ShmRing): Sender {
  const checked = checkRing(ring);
  return new RingSender(checked, checked.producer());
}

/**
 * A ring as the receiving end of a channel of messages. A ring has no end: it never gives `null`.
 *
 * @param ring - the receiver owns it from now on
 * @returns a receiver
 * @throws {IpcError} EBUSY when the ring has a consumer
 */
export function shmReceiver(ring: ShmRing): Receiver {
  const checked = checkRing(ring);
  return new RingReceiver(checked, checked.consumer());
}

function checkRing(ring: unknown): ShmRing {
  if (ring instanceof ShmRing) return ring;
  throw typeError('ring', 'a ShmRing', ring);
}

/** Lifetime: that of its ring, which it closes. */
class ChannelEnd<End extends RingProducer | RingConsumer> {
  readonly traits: ChannelTraits;
  protected readonly end: End;
  readonly #ring: ShmRing;

  constructor(ring: ShmRing, end: End) {
    this.#ring = ring;
    this.end = end;
    this.traits = {
      mechanism: 'shm',
      boundaries: 'frames',
      priorities: false,
      persistent: true,
      multipleSenders: ring.producers === 'multiple',
      multipleReceivers: false,
      maxMessageSize: ring.maxMessageSize,
      crossMachine: false,
    };
  }

  get closed(): boolean {
    return this.#ring.closed || this.end.closed;
  }

  close(): void {
    this.#ring.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function checkPriority(options: { readonly priority?: number } | undefined): void {
  const { priority = 0 } = optionsObject(options);
  if (priority !== 0) throw valueError('options.priority', 'is not what a ring has', priority);
}

class RingSender extends ChannelEnd<RingProducer> implements Sender {
  send(message: Bytes, options?: WaitOptions & { readonly priority?: number }): Promise<void> {
    try {
      checkPriority(options);
      return this.end.send(message, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  trySend(message: Bytes, options?: { readonly priority?: number }): boolean {
    checkPriority(options);
    return this.end.trySend(message);
  }
}

class RingReceiver extends ChannelEnd<RingConsumer> implements Receiver {
  receive(options?: WaitOptions): Promise<Buffer> {
    return this.end.receive(options);
  }

  tryReceive(): Buffer | undefined {
    return this.end.tryReceive();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return this.end[Symbol.asyncIterator]();
  }
}
