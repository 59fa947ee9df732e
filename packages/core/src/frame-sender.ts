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
import { Pace } from './pace.js';
import {
  bytes,
  closedError,
  tellBytesWritten,
  valueError,
  waitOptions,
  type WaitOptions,
} from './kit.js';

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
  /** The most that goes in one piece, where several send. */
  /** Whether the longest message is what the stream takes as a whole, which no option raises. */
  readonly #fixed: boolean;
  readonly #queue: Batch[] = [];
  #gathering: Batch | undefined;
  #spare: Buffer | undefined;
  #busy = false;
  readonly #pace = new Pace();
  readonly #cancellations = new Cancellations();
  #broken: unknown;

  constructor(writer: ByteWriter, options: FrameSenderOptions) {
    const { traits, batchSize, fixed } = senderTraits(options);
    this.traits = traits;
    this.#maxMessageSize = traits.maxMessageSize;
    this.#batchSize = batchSize;
    this.#fixed = fixed;
    this.#writer = checkedWriter(writer);
  }

  get closed(): boolean {
    return this.#writer.closed;
  }

  close(): void {
    if (this.#writer.closed) return;
    this.#writer.close();
    this.#fail(closedError({ syscall: 'send' }));
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
    const taken = this.#queue.length > 0 ? 0 : this.#writer.tryWrite(frame);
    if (taken > 0 && taken < frame.length) {
      const rest = newBatch(frame, taken);
      // The message is on its way; if the rest fails, the next send tells.
      rest.promise.catch(() => {});
      this.#enqueue(rest);
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
    if (this.#broken !== undefined) throw this.#broken;
    return data;
  }

  #append(data: Uint8Array): Promise<void> {
    const size = HEADER + data.length;
    if (size > SMALL) {
      this.#flush();
      const batch = newBatch(frameOf(data));
      this.#enqueue(batch);
      return batch.promise;
    }
    let batch = this.#gathering;
    if (batch !== undefined && batch.end + size > this.#batchSize) {
      this.#flush();
      batch = undefined;
    }
    if (batch === undefined) {
      batch = newBatch(this.#spare ?? Buffer.allocUnsafeSlow(this.#batchSize), 0, 0);
      this.#spare = undefined;
      this.#gathering = batch;
      queueMicrotask(() => this.#flush());
    }
    const { memory, end } = batch;
    putLength(memory, end, data.length);
    memory.set(data, end + HEADER);
    batch.end = end + size;
    return batch.promise;
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
    this.#enqueue(batch);
    if (!this.#queue.includes(batch)) return batch.promise;
    return this.#cancellations.watch(batch.promise, { signal, timeout }, (reason) =>
      this.#cancel(batch, reason),
    );
  }

  #cancel(batch: Batch, reason: unknown): void {
    const index = this.#queue.indexOf(batch);
    if (index < 0) return;
    if (index === 0 && this.#busy) {
      // The writer tells how far it came; `#write` then drops the frame or finishes it.
      batch.controller?.abort({ reason });
    } else if (batch.start === 0) {
      this.#queue.splice(index, 1);
      batch.reject(tellBytesWritten(reason, 0));
    }
  }

  #flush(): void {
    const batch = this.#gathering;
    if (batch === undefined) return;
    this.#gathering = undefined;
    this.#enqueue(batch);
  }

  #enqueue(batch: Batch): void {
    this.#queue.push(batch);
    if (!this.#busy) this.#pump();
  }

  /** Writes what the stream takes now; for the rest it waits. */
  #pump(): void {
    for (let batch = this.#queue[0]; batch !== undefined; batch = this.#queue[0]) {
      if (this.#pace.pause(() => this.#pump())) return;
      try {
        batch.start += this.#writer.tryWrite(batch.memory.subarray(batch.start, batch.end));
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (batch.start < batch.end) {
        void this.#write(batch);
        return;
      }
      this.#done(batch);
    }
  }

  async #write(batch: Batch): Promise<void> {
    this.#busy = true;
    const rest = batch.memory.subarray(batch.start, batch.end);
    try {
      const options = batch.controller && { signal: batch.controller.signal };
      await this.#writer.write(rest, options);
      batch.start = batch.end;
      this.#busy = false;
      this.#done(batch);
    } catch (error) {
      this.#busy = false;
      if (batch.controller?.signal.aborted !== true) {
        this.#fail(error);
        return;
      }
      this.#giveUp(
        batch,
        batch.controller.signal.reason as { reason: unknown; bytesWritten?: number },
      );
    }
    this.#pump();
  }

  /** A cancelled frame leaves the queue if nothing of it was written, else it is finished unasked. */
  #giveUp(batch: Batch, { reason, bytesWritten = 0 }: { reason: unknown; bytesWritten?: number }) {
    batch.start += bytesWritten;
    batch.controller = undefined;
    if (batch.start === 0) this.#queue.shift();
    batch.reject(tellBytesWritten(reason, batch.start));
  }

  #done(batch: Batch): void {
    this.#queue.shift();
    if (batch.memory.length === this.#batchSize) this.#spare = batch.memory;
    batch.resolve();
  }

  #fail(error: unknown): void {
    this.#broken ??= error;
    const batches = this.#queue.splice(0);
    if (this.#gathering !== undefined) batches.push(this.#gathering);
    this.#gathering = undefined;
    for (const batch of batches) batch.reject(error);
  }
}
