import type { ByteReader, ChannelTraits, Receiver } from './channel.js';
import { frameTraits, HEADER, tooLong, type FrameOptions } from './frame.js';
import {
  bufferOf,
  closedError,
  integer,
  IpcError,
  memoryForRead,
  objectWith,
  optionsObject,
  Turn,
  waitOptions,
  type WaitOptions,
} from './kit.js';

/** What is asked of a stream. */
const READER = ['read', 'tryRead', 'close'];

const EMPTY = Buffer.alloc(0);

/** A message that lacks more than this is read straight into its own memory. */
const DIRECT = 16 * 1024;

/** A {@link Receiver} of frames, which can also take all that is there. */
export interface FrameReceiver extends Receiver {
  /**
   * All messages that one read brought, at least one unless the stream has ended.
   *
   * @param options - `max`: no more than so many
   * @returns the messages in order; empty at the end
   */
  receiveMany(options?: WaitOptions & { readonly max?: number }): Promise<Buffer[]>;
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
  readonly #turn = new Turn();
  readonly #header = Buffer.alloc(HEADER);
  #headerFilled = 0;
  #chunk: Buffer = EMPTY;
  #memory: ArrayBufferLike = EMPTY.buffer;
  #base = 0;
  #at = 0;
  #message: Buffer | undefined;
  #filled = 0;
  #ended = false;
  #broken: unknown;

  constructor(reader: ByteReader, options: FrameOptions) {
    this.traits = frameTraits(options);
    this.#reader = objectWith(reader, 'reader', READER, 'a reader of bytes');
  }

  get closed(): boolean {
    return this.#reader.closed;
  }

  close(): void {
    if (this.#reader.closed) return;
    this.#reader.close();
    this.#turn.fail(closedError({ syscall: 'receive' }));
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
      const message = this.#next();
      return message === undefined ? this.#receive(wait) : Promise.resolve(message);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Reads until there is a message. */
  async #receive({ signal, timeout }: WaitOptions): Promise<Buffer | null> {
    const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
    const left = (): WaitOptions => ({
      signal,
      ...(deadline === Infinity ? {} : { timeout: Math.max(0, deadline - performance.now()) }),
    });
    if (!this.#turn.tryTake()) await this.#turn.take(left(), { syscall: 'receive' });
    try {
      for (;;) {
        this.#checkOpen();
        const message = this.#parse();
        if (message !== undefined) return message;
        if (this.#ended) return null;
        this.#feed(await this.#reader.read({ ...this.#target(), ...left() }));
      }
    } finally {
      this.#turn.pass();
    }
  }

  tryReceive(): Buffer | null | undefined {
    for (;;) {
      const message = this.#next();
      if (message !== undefined || this.#turn.taken) return message;
      const chunk = this.#reader.tryRead(this.#target());
      if (chunk === undefined) return undefined;
      this.#feed(chunk);
    }
  }

  async receiveMany(options?: WaitOptions & { readonly max?: number }): Promise<Buffer[]> {
    const { max = Infinity } = optionsObject(options);
    if (max !== Infinity) integer(max, 'options.max', 1);
    const first = await this.receive(options);
    if (first === null) return [];
    const messages = [first];
    try {
      while (messages.length < max) {
        const message = this.#parse();
        if (message === undefined) break;
        messages.push(message);
      }
    } catch {
      // What is wrong with the stream stays wrong: the next receive tells. These messages are good.
    }
    return messages;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    const step = (message: Buffer | null): IteratorResult<Buffer> =>
      message === null ? { done: true, value: undefined } : { done: false, value: message };
    return {
      next: () => {
        try {
          const message = this.closed ? null : this.#next();
          if (message !== undefined) return Promise.resolve(step(message));
          return this.#receive({}).then(step);
        } catch (error) {
          return Promise.reject(error as Error);
        }
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  #checkOpen(): void {
    if (this.#reader.closed) throw closedError({ syscall: 'receive' });
  }

  /** The next message of what was read, `null` at the end; undefined if somebody must read first. */
  #next(): Buffer | null | undefined {
    this.#checkOpen();
    if (this.#turn.taken) return undefined;
    return this.#parse() ?? (this.#ended ? null : undefined);
  }

  /** The next whole message of what was read; undefined if more must be read first. */
  #parse(): Buffer | undefined {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#message !== undefined) return this.#fillMessage();
    const chunk = this.#chunk;
    const at = this.#at;
    let length: number;
    if (this.#headerFilled === 0 && chunk.length - at >= HEADER) {
      // Four times as quick as readUInt32LE.
      length =
        (chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24)) >>>
        0;
      this.#at = at + HEADER;
    } else {
      this.#headerFilled += this.#take(this.#header, this.#headerFilled);
      if (this.#headerFilled < HEADER) return undefined;
      length = this.#header.readUInt32LE(0);
      this.#headerFilled = 0;
    }
    if (length > this.traits.maxMessageSize) {
      throw this.#break(tooLong(length, this.traits.maxMessageSize, 'receive'));
    }
    if (chunk.length - this.#at >= length) {
      const start = this.#at;
      this.#at += length;
      return bufferOf(this.#memory, this.#base + start, length);
    }
    this.#message = memoryForRead(length);
    this.#filled = 0;
    return this.#fillMessage();
  }

  #fillMessage(): Buffer | undefined {
    const message = this.#message!;
    this.#filled += this.#take(message, this.#filled);
    if (this.#filled < message.length) return undefined;
    this.#message = undefined;
    return message;
  }

  /** Moves bytes of the chunk to where they belong; how many. */
  #take(into: Buffer, at: number): number {
    const count = this.#chunk.copy(into, at, this.#at);
    this.#at += count;
    return count;
  }

  #target(): { into?: Uint8Array } {
    const message = this.#message;
    if (message === undefined || message.length - this.#filled < DIRECT) return {};
    return { into: message.subarray(this.#filled) };
  }

  #feed(chunk: Buffer | null): void {
    if (chunk === null) {
      this.#ended = true;
      if (this.#headerFilled > 0 || this.#message !== undefined) {
        this.#broken = new IpcError('ERR_TRUNCATED', { syscall: 'receive' });
      }
      return;
    }
    const message = this.#message;
    if (
      message !== undefined &&
      chunk.buffer === message.buffer &&
      chunk.byteOffset === message.byteOffset + this.#filled
    ) {
      this.#filled += chunk.length;
      this.#chunk = EMPTY;
    } else {
      this.#chunk = chunk;
      this.#memory = chunk.buffer;
      this.#base = chunk.byteOffset;
    }
    this.#at = 0;
  }

  #break(error: IpcError): IpcError {
    this.#broken = error;
    return error;
  }
}
