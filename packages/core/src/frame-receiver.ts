import type { ByteReader, ChannelTraits, Receiver } from './channel.js';
import { FrameParser } from './frame-parser.js';
import { frameTraits, type FrameOptions } from './frame.js';
import {
  BLOCKED,
  busyError,
  closedError,
  integer,
  iterate,
  objectWith,
  optionsObject,
  Turn,
  waitOptions,
  type WaitOptions,
} from './kit.js';

/** What is asked of a stream. */
const READER = ['read', 'tryRead', 'close'];

/** A {@link Receiver} of frames, which can also take all that is there. */
export interface FrameReceiver extends Receiver {
  /**
   * All messages that one read brought, at least one unless the stream has ended.
   *
   * @param options - `max`: no more than so many
   * @returns the messages in order; empty at the end
   */
  receiveMany(options?: WaitOptions & { readonly max?: number }): Promise<Buffer[]>;
  /**
   * Takes out what was read ahead and belongs to no message that was received: for whoever reads the stream
   * from now on.
   *
   * @returns the bytes as they came; none if nothing was read ahead
   * @throws {IpcError} EBUSY when there are some, and somebody waits for the rest of their message
   */
  takeUnread(): Buffer;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  /** Pending receives keep the process alive; that is so from the start. */
  ref(): this;
  /** Pending receives do not keep the process alive. */
  unref(): this;
}

/**
 * The receiving end of {@link frameSender}'s messages.
 *
 * @param reader - the stream; closing the receiver closes it
 * @param options - `maxMessageSize`
 * @returns a receiver of messages, whose `receive` rejects with `EMSGSIZE` when a length is over the
 *   maximum, before anything is allocated, and with `ERR_TRUNCATED` when the stream ends inside a frame
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when the reader is none
 * @throws {RangeError} ERR_OUT_OF_RANGE when maxMessageSize is no length
 */
export function frameReceiver(reader: ByteReader, options: FrameOptions = {}): FrameReceiver {
  return new FramedReceiver(reader, options);
}

class FramedReceiver implements FrameReceiver {
  readonly traits: ChannelTraits;
  readonly #reader: ByteReader;
  readonly #parser: FrameParser;
  readonly #turn = new Turn();

  constructor(reader: ByteReader, options: FrameOptions) {
    this.traits = frameTraits(options);
    this.#parser = new FrameParser(this.traits.maxMessageSize);
    this.#reader = objectWith(reader, 'reader', READER, 'a reader of bytes');
  }

  get closed(): boolean {
    return this.#reader.closed;
  }

  close(): void {
    if (this.#reader.closed) return;
    this.#reader.close();
    this.#turn.fail(() => closedError({ syscall: 'receive' }));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ref(): this {
    this.#reader.ref?.();
    this.#turn.ref(true);
    return this;
  }

  unref(): this {
    this.#reader.unref?.();
    this.#turn.ref(false);
    return this;
  }

  receive(options?: WaitOptions): Promise<Buffer | null> {
    try {
      const wait = waitOptions(options);
      wait.signal?.throwIfAborted();
      this.#checkOpen();
      const message = this.#next();
      return message === undefined ? this.#receive(wait) : Promise.resolve(message);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Reads until there is a message. */
  async #receive(wait: WaitOptions): Promise<Buffer | null> {
    const left = leftOf(wait);
    if (!this.#turn.tryTake()) await this.#turn.take(left(), { syscall: 'receive' });
    const parser = this.#parser;
    try {
      for (;;) {
        this.#checkOpen();
        const message = parser.next();
        if (message !== undefined) return message;
        parser.feed(await this.#reader.read({ ...parser.target(), ...left() }));
      }
    } finally {
      this.#turn.pass();
    }
  }

  tryReceive(): Buffer | null | undefined {
    for (;;) {
      this.#checkOpen();
      const message = this.#next();
      if (message !== undefined || this.#turn.taken) return message;
      const chunk = this.#reader.tryRead(this.#parser.target());
      if (chunk === undefined) return undefined;
      this.#parser.feed(chunk);
    }
  }

  async receiveMany(options?: WaitOptions & { readonly max?: number }): Promise<Buffer[]> {
    const { max = Infinity } = optionsObject(options);
    if (max !== Infinity) integer(max, 'options.max', 1);
    const first = await this.receive(options);
    if (first === null) return [];
    const parser = this.#parser;
    const messages = [first];
    try {
      while (messages.length < max) {
        const message = parser.next();
        if (message === undefined || message === null) break;
        messages.push(message);
      }
    } catch {
      // What is wrong with the stream stays wrong: the next receive tells. These messages are good.
    }
    return messages;
  }

  takeUnread(): Buffer {
    if (this.#turn.taken && this.#parser.hasUnread) throw busyError({ syscall: 'receive' });
    return this.#parser.takeUnread();
  }

  /** Messages until the end, or until it is closed; leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({
      handle: this.#reader,
      take: () => {
        const message = this.#next();
        return message === undefined ? BLOCKED : message;
      },
      receive: (wait) => this.#receive(wait),
    });
  }

  #checkOpen(): void {
    if (this.#reader.closed) throw closedError({ syscall: 'receive' });
  }

  /** The next message of what was read, `null` at the end; undefined if somebody must read first. */
  #next(): Buffer | null | undefined {
    return this.#turn.taken ? undefined : this.#parser.next();
  }
}

/** What is left of a wait that takes several steps. */
function leftOf({ signal, timeout }: WaitOptions): () => WaitOptions {
  if (timeout === undefined) return () => ({ signal });
  const deadline = performance.now() + timeout;
  return () => ({ signal, timeout: Math.max(0, deadline - performance.now()) });
}
