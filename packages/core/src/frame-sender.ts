import type { Bytes, ByteWriter, ChannelTraits } from './channel.js';
import { Cancellations } from './cancellations.js';
import { frameOf, messagesOf, newBatch } from './frame-batch.js';
import { FrameGathering } from './frame-gathering.js';
import {
  checkedWriter,
  senderTraits,
  tooLong,
  type FrameSender,
  type FrameSenderOptions,
} from './frame.js';
import { FrameOutbox } from './frame-outbox.js';
import {
  bytes,
  callback,
  closedError,
  optionsObject,
  valueError,
  waitOptions,
  type WaitOptions,
} from './kit.js';

const NOTHING = Buffer.alloc(0);

/**
 * Message boundaries over a byte stream: a 4-byte little-endian length, then the bytes.
 *
 * A message is copied when it is sent, so its memory may be used again at once. Messages up to 16 KiB
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

function checkPriority({ priority = 0 }: { readonly priority?: number }): void {
  if (priority !== 0)
    throw valueError('options.priority', 'is not what a byte stream has', priority);
}

class FramedSender implements FrameSender {
  readonly traits: ChannelTraits;
  readonly #writer: ByteWriter;
  readonly #maxMessageSize: number;
  /** Whether the longest message is what the stream takes as a whole, which no option raises. */
  readonly #fixed: boolean;
  readonly #outbox: FrameOutbox;
  readonly #gathering: FrameGathering;
  readonly #cancellations = new Cancellations();

  constructor(writer: ByteWriter, options: FrameSenderOptions) {
    const { traits, batchSize, fixed } = senderTraits(options);
    this.traits = traits;
    this.#maxMessageSize = traits.maxMessageSize;
    this.#fixed = fixed;
    this.#writer = checkedWriter(writer);
    this.#outbox = new FrameOutbox(this.#writer, ({ memory }) => this.#gathering.reuse(memory));
    this.#gathering = new FrameGathering(this.#outbox, batchSize, traits.multipleSenders);
  }

  get closed(): boolean {
    return this.#writer.closed;
  }

  close(): void {
    if (this.#writer.closed) return;
    this.#writer.close();
    this.#outbox.fail(closedError({ syscall: 'send' }));
    this.#gathering.flush();
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
      if (options === undefined) return this.#gathering.append(data);
      const { signal, timeout } = waitOptions(options);
      checkPriority(options);
      if (signal === undefined && (timeout === undefined || timeout === Infinity)) {
        return this.#gathering.append(data);
      }
      signal?.throwIfAborted();
      return this.#sendCancellable(data, signal, timeout);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  trySend(message: Bytes, options?: { readonly priority?: number }): boolean {
    checkPriority(optionsObject(options));
    const frame = frameOf(this.#message(message));
    this.#gathering.flush();
    const taken = this.#outbox.drain() ? this.#writer.tryWrite(frame) : 0;
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
      return this.#appendAll(all);
    }
    // Whatever is cancelled half-way is cancelled at a message's boundary.
    const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
    for (const data of all) {
      signal?.throwIfAborted();
      const left = deadline === Infinity ? undefined : Math.max(0, deadline - performance.now());
      await this.#sendCancellable(data, signal, left);
    }
  }

  flush(): boolean {
    this.#gathering.flush();
    return this.#outbox.drain();
  }

  inOrder<T>(write: (wait: WaitOptions) => Promise<T>, options?: WaitOptions): Promise<T> {
    try {
      callback(write, 'write');
      const wait = waitOptions(options);
      wait.signal?.throwIfAborted();
      // The stream's own queue keeps the order of what is sent later.
      return this.flush() ? write(wait) : this.#inOrder(write, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async #inOrder<T>(write: (wait: WaitOptions) => Promise<T>, wait: WaitOptions): Promise<T> {
    const { signal, timeout } = wait;
    const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
    const left = (): WaitOptions =>
      timeout === undefined ? wait : { signal, timeout: Math.max(0, deadline - performance.now()) };
    const guest = newBatch(NOTHING);
    let begun: Promise<T> | undefined;
    guest.begin = () => {
      begun = (async () => write(left()))();
      begun.catch(() => {});
      guest.resolve();
    };
    this.#outbox.add(guest);
    await this.#cancellations.watch(guest.promise, wait, (reason) =>
      this.#outbox.cancel(guest, reason),
    );
    return begun!;
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

  /** The promise of the last batch: what an earlier one fails with, the last fails with too. */
  #appendAll(all: readonly Uint8Array[]): Promise<void> | undefined {
    const gathering = this.#gathering;
    let last: Promise<void> | undefined;
    for (let i = 0; i < all.length; i++) {
      const sent = gathering.append(all[i]!);
      if (sent !== last) last?.catch(() => {});
      last = sent;
    }
    gathering.flush();
    return last;
  }

  /** A frame that may be cancelled is a batch of its own: the others must not go with it. */
  #sendCancellable(
    data: Uint8Array,
    signal: AbortSignal | undefined,
    timeout: number | undefined,
  ): Promise<void> {
    this.#gathering.flush();
    const batch = newBatch(frameOf(data));
    batch.controller = new AbortController();
    this.#outbox.add(batch);
    if (!this.#outbox.has(batch)) return batch.promise;
    return this.#cancellations.watch(batch.promise, { signal, timeout }, (reason) =>
      this.#outbox.cancel(batch, reason),
    );
  }
}
