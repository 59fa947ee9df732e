import {
  IpcError,
  type Bytes,
  type ChannelTraits,
  type Receiver,
  type Sender,
  type WaitOptions,
} from '@octoipc/core';
import { BLOCKED, bytes, integer, waitOptions } from '@octoipc/core/kit';

import { MemoryHandle } from './memory-handle.js';

const CAPACITY = 10;

const traits: ChannelTraits = Object.freeze({
  mechanism: 'memory',
  boundaries: 'kernel',
  priorities: true,
  persistent: false,
  multipleSenders: false,
  multipleReceivers: false,
  maxMessageSize: 8_192,
  crossMachine: false,
});

interface Message {
  readonly data: Buffer;
  readonly priority: number;
}

/** What both ends share. */
interface Shared {
  readonly messages: Message[];
  readonly sender: MemorySender;
  readonly receiver: MemoryReceiver;
}

type SendOptions = WaitOptions & { readonly priority?: number };

class MemorySender extends MemoryHandle implements Sender {
  readonly traits = traits;
  readonly #shared: () => Shared;

  constructor(shared: () => Shared) {
    super();
    this.#shared = shared;
  }

  async send(message: Bytes, options?: SendOptions): Promise<void> {
    const wait = waitOptions(options);
    const attempt = this.#sending(message, options?.priority);
    return this.waiters.queue.run(attempt, wait, { details: { syscall: 'send' } });
  }

  trySend(message: Bytes): boolean {
    const attempt = this.#sending(message);
    return this.waiters.queue.length === 0 && attempt() !== BLOCKED;
  }

  override close(): void {
    super.close();
    this.#shared().receiver.waiters.wake();
  }

  #sending(message: Bytes, priority = 0): () => void | typeof BLOCKED {
    integer(priority, 'options.priority');
    const data = Buffer.from(bytes(message, 'message'));
    this.checkOpen('send');
    if (data.length > traits.maxMessageSize) throw new IpcError('EMSGSIZE', { syscall: 'send' });
    return () => {
      const { messages, receiver } = this.#shared();
      if (receiver.closed) throw new IpcError('EPIPE', { syscall: 'send' });
      if (messages.length >= CAPACITY) return BLOCKED;
      const at = messages.findIndex((other) => other.priority < priority);
      messages.splice(at < 0 ? messages.length : at, 0, { data, priority });
      receiver.waiters.wake();
    };
  }
}

class MemoryReceiver extends MemoryHandle implements Receiver {
  readonly traits = traits;
  readonly #shared: () => Shared;

  constructor(shared: () => Shared) {
    super();
    this.#shared = shared;
  }

  async receive(options?: WaitOptions): Promise<Buffer | null> {
    const wait = waitOptions(options);
    this.checkOpen('receive');
    const attempt = (): Buffer | null | typeof BLOCKED => this.#take();
    return this.waiters.queue.run(attempt, wait, { details: { syscall: 'receive' } });
  }

  tryReceive(): Buffer | null | undefined {
    this.checkOpen('receive');
    if (this.waiters.queue.length > 0) return undefined;
    const result = this.#take();
    return result === BLOCKED ? undefined : result;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (let next = await this.receive(); next !== null; next = await this.receive()) yield next;
  }

  override close(): void {
    super.close();
    this.#shared().sender.waiters.wake();
  }

  #take(): Buffer | null | typeof BLOCKED {
    const { messages, sender } = this.#shared();
    const message = messages.shift();
    if (message === undefined) return sender.closed ? null : BLOCKED;
    sender.waiters.wake();
    return message.data;
  }
}

/** Both ends of a channel in memory, which keeps priorities. */
export function memoryChannel(): { sender: Sender; receiver: Receiver } {
  const shared: Shared = {
    messages: [],
    sender: new MemorySender(() => shared),
    receiver: new MemoryReceiver(() => shared),
  };
  return { sender: shared.sender, receiver: shared.receiver };
}
