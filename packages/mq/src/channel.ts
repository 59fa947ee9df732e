import type { Bytes, ChannelTraits, Receiver, Sender, WaitOptions } from '@octoipc/core';
import { following, integer, typeError, valueError } from '@octoipc/core/kit';

import { PosixQueue } from './posix-queue.js';
import { SysvQueue } from './sysv-queue.js';

/**
 * A queue as the sending end of a channel of messages.
 *
 * @param queue - the sender owns it from now on. A System V queue's messages get type 1, and have no
 *   priority
 * @returns a sender
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no queue
 * @example
 * ```js
 * import { json, withCodec } from '@octoipc/core';
 * import { mqReceiver, mqSender, PosixQueue } from '@octoipc/mq';
 *
 * const name = '/octoipc-channel';
 * const inbox = withCodec(mqReceiver(PosixQueue.open(name, { temporary: true, maxMessages: 4 })), json);
 * const outbox = withCodec(mqSender(PosixQueue.open(name, { access: 'send' })), json);
 * await outbox.send({ task: 'resize' }, { priority: 5 });
 * await inbox.receive(); //=> { task: 'resize' }
 * outbox.close();
 * inbox.close();
 * ```
 */
export function mqSender(queue: PosixQueue | SysvQueue): Sender {
  return new QueueSender(checked(queue));
}

/**
 * A queue as the receiving end of a channel of messages. A queue has no end: it never gives `null`.
 *
 * @param queue - the receiver owns it from now on
 * @returns a receiver
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no queue
 */
export function mqReceiver(queue: PosixQueue | SysvQueue): Receiver {
  return new QueueReceiver(checked(queue));
}

type Queue = PosixQueue | SysvQueue;

function checked(queue: unknown): Queue {
  if (queue instanceof PosixQueue || queue instanceof SysvQueue) return queue;
  throw typeError('queue', 'a PosixQueue or a SysvQueue', queue);
}

function traitsOf(queue: Queue): ChannelTraits {
  const posix = queue instanceof PosixQueue;
  return {
    mechanism: posix ? 'mq' : 'sysv-mq',
    boundaries: 'kernel',
    priorities: posix,
    persistent: true,
    multipleSenders: true,
    multipleReceivers: true,
    maxMessageSize: queue.maxMessageSize,
    crossMachine: false,
  };
}

/** Lifetime: that of its queue, which it closes. */
class QueueEnd {
  readonly traits: ChannelTraits;
  protected readonly queue: Queue;

  constructor(queue: Queue) {
    this.traits = traitsOf(queue);
    this.queue = queue;
  }

  get closed(): boolean {
    return this.queue.closed;
  }

  close(): void {
    this.queue.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

class QueueSender extends QueueEnd implements Sender {
  send(message: Bytes, options: WaitOptions & { readonly priority?: number } = {}): Promise<void> {
    if (this.queue instanceof PosixQueue) return this.queue.send(message, options);
    if (options?.priority !== undefined && options.priority !== 0) {
      return Promise.reject(noPriority(options.priority));
    }
    return this.queue.send(message, options);
  }

  trySend(message: Bytes, options?: { readonly priority?: number }): boolean {
    if (this.queue instanceof PosixQueue) return this.queue.trySend(message, options);
    const priority = options?.priority ?? 0;
    if (priority !== 0) throw noPriority(priority);
    return this.queue.trySend(message);
  }
}

class QueueReceiver extends QueueEnd implements Receiver {
  async receive(options?: WaitOptions): Promise<Buffer> {
    const { data } = await this.queue.receive(waitOnly(options));
    return data;
  }

  tryReceive(): Buffer | undefined {
    return this.queue.tryReceive()?.data;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    const messages: AsyncIterator<{ data: Buffer }> = this.queue[Symbol.asyncIterator]();
    return following(messages, { value: ({ data }) => data });
  }
}

/** What a System V queue would take for a selection is none of a channel's options. */
function waitOnly(options: WaitOptions | undefined): WaitOptions | undefined {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options;
  const { signal, timeout } = options;
  return { signal, timeout };
}

function noPriority(priority: unknown): Error {
  try {
    integer(priority, 'options.priority');
  } catch (error) {
    return error as Error;
  }
  return valueError(
    'options.priority',
    'is not something a System V queue has: send with a `type`, receive with a negative one',
    priority,
  );
}
