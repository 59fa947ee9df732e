import type { Bytes, ByteWriter, ChannelTraits } from './channel.js';
import { Cancellations } from './cancellations.js';
import { frameOf, messagesOf, newBatch, putLength, type Batch } from './frame-batch.js';
import {
  checkedWriter,
  HEADER,
  senderTraits,
  tooLong,
  type FrameSender,
  type FrameSenderOptions,
} from './frame.js';
import { FrameOutbox } from './frame-outbox.js';
import { bytes, closedError, valueError, waitOptions, type WaitOptions } from './kit.js';

/** Frames up to this size are gathered and written together; longer ones go out by themselves. */
const SMALL = 1024;

/**
 * Message boundaries over a byte stream: a 4-byte little-endian length, then the bytes.
 *
 * A message is copied when it is sent, so its memory may be used again at once. Messages up to 1 KiB
 * that are sent within one turn of the event loop go out in one write. A message whose first byte the
 * stream has taken cannot be called back: if its send is cancelled then, the promise rejects at once,
 * with `bytesWritten`, and the rest follows in the background, so the stream stays in step.
 *
 * @param writer - the stream; closing the sender closes it
 * @param options - limits and traits
 * @returns a sender of messages
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when the writer is none
 * @throws {RangeError} ERR_OUT_OF_RANGE when maxMessageSize or atomicSize is no length
 * @example
 * ```js
 * import { frameReceiver, frameSender } from '@octoipc/core';
 * import { createPipe } from '@octoipc/pipe';
 *
 * const { reader, writer } = createPipe();
 * const sender = frameSender(writer, { maxMessageSize: 1024 });
 * const receiver = frameReceiver(reader, { maxMessageSize: 1024 });
 * await sender.send('hello');
 * String(await receiver.receive()); //=> 'hello'
 * ```
 */
export function frameSender(writer: ByteWriter, options: FrameSenderOptions = {}): FrameSender {
  return new FramedSender(writer, options);
}

class FramedSender implements FrameSender {
  readonly traits: ChannelTraits;
  readonly #writer: ByteWriter;
  readonly #maxMessageSize: number;
  readonly #batchSize: number;
  /** Whether the longest message is what the stream takes as a whole, which no option raises. */
  readonly #fixed: boolean;
  readonly #outbox: FrameOutbox;
  readonly #cancellations = new Cancellations();
  #gathering: Batch | undefined;
  #spare: Buffer | undefined;

  constructor(writer: ByteWriter, options: FrameSenderOptions) {
    const { traits, batchSize, fixed } = senderTraits(options);
    this.traits = traits;
    this.#maxMessageSize = traits.maxMessageSize;
    this.#batchSize = batchSize;
    this.#fixed = fixed;
    this.#writer = checkedWriter(writer);
    this.#outbox = new FrameOutbox(this.#writer, ({ memory }) => {
      if (memory.length === batchSize) this.#spare = memory;
    });
  }

  get closed(): boolean {
    return this.#writer.closed;
  }

  close(): void {
    if (this.#writer.closed) return;
    this.#writer.close();
    this.#outbox.fail(closedError({ syscall: 'send' }));
    this.#flush();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ref(): this {
    this.#writer.ref?.();
    this.#cancellations.ref(true);
    return this;
  }

  unref(): this {
    this.#writer.unref?.();
    this.#cancellations.ref(false);
    return this;
  }

  // Not `async`: all frames of a batch share one promise, and the sends of a window make no other.
  send(message: Bytes, options?: WaitOptions & { readonly priority?: number }): Promise<void> {
    try {
      const data = this.#message(message);
      if (options === undefined) return this.#append(data);
      const { signal, timeout } = waitOptions(options);
      if (options.priority !== undefined && options.priority !== 0) {
        throw valueError('options.priority', 'is not what a byte stream has', options.priority);
      }
      if (signal === undefined && (timeout === undefined || timeout === Infinity)) {
        return this.#append(data);
      }
      signal?.throwIfAborted();
      return this.#sendCancellable(data, signal, timeout);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  trySend(message: Bytes): boolean {
    const frame = frameOf(this.#message(message));
    this.#flush();
    const taken = this.#outbox.idle ? this.#writer.tryWrite(frame) : 0;
    if (taken > 0 && taken < frame.length) {
      const rest = newBatch(frame, taken);
      // The message is on its way; if the rest fails, the next send tells.
      rest.promise.catch(() => {});
      this.#outbox.add(rest);
    }
    return taken > 0;
  }

  async sendMany(messages: Iterable<Bytes>, options?: WaitOptions): Promise<void> {
    const given = messagesOf(messages);
    const { signal, timeout } = waitOptions(options);
    signal?.throwIfAborted();
    // All are checked before the first is sent.
    const all: Uint8Array[] = [];
    for (let i = 0; i < given.length; i++) all.push(this.#message(given[i]!));
    if (signal === undefined && (timeout === undefined || timeout === Infinity)) {
      let last: Promise<void> | undefined;
      for (let i = 0; i < all.length; i++) {
        const sent = this.#append(all[i]!);
        if (sent !== last) last?.catch(() => {});
        last = sent;
      }
      this.#flush();
      return last;
    }
    // Whatever is cancelled half-way is cancelled at a message's boundary.
    const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
    for (const data of all) {
      const left = deadline === Infinity ? undefined : Math.max(0, deadline - performance.now());
      await this.#sendCancellable(data, signal, left);
    }
  }

  #message(message: Bytes): Uint8Array {
    if (this.#writer.closed) throw closedError({ syscall: 'send' });
    const data = bytes(message, 'message');
    const limit = this.#maxMessageSize;
    if (data.length > limit) throw tooLong(data.length, limit, 'send', this.#fixed);
    const { broken } = this.#outbox;
    if (broken !== undefined) throw broken;
    return data;
  }

  #append(data: Uint8Array): Promise<void> {
    const size = HEADER + data.length;
    if (size > SMALL) {
      this.#flush();
      const batch = newBatch(frameOf(data));
      this.#outbox.add(batch);
      return batch.promise;
    }
    let batch = this.#gathering;
    if (batch !== undefined && batch.end + size > this.#batchSize) {
      this.#flush();
      batch = undefined;
    }
    batch ??= this.#gather();
    const { memory, end } = batch;
    putLength(memory, end, data.length);
    memory.set(data, end + HEADER);
    batch.end = end + size;
    return batch.promise;
  }

  /** Begins a batch, which goes out when this turn is over. */
  #gather(): Batch {
    const batch = newBatch(this.#spare ?? Buffer.allocUnsafeSlow(this.#batchSize), 0, 0);
    this.#spare = undefined;
    this.#gathering = batch;
    queueMicrotask(() => this.#flush());
    return batch;
  }

  /** A frame that may be cancelled is a batch of its own: the others must not go with it. */
  #sendCancellable(
    data: Uint8Array,
    signal: AbortSignal | undefined,
    timeout: number | undefined,
  ): Promise<void> {
    this.#flush();
    const batch = newBatch(frameOf(data));
    batch.controller = new AbortController();
    this.#outbox.add(batch);
    if (!this.#outbox.has(batch)) return batch.promise;
    return this.#cancellations.watch(batch.promise, { signal, timeout }, (reason) =>
      this.#outbox.cancel(batch, reason),
    );
  }

  #flush(): void {
    const batch = this.#gathering;
    if (batch === undefined) return;
    this.#gathering = undefined;
    this.#outbox.add(batch);
  }
}
