import type { ReadTarget } from './channel.js';
import { HEADER, tooLong } from './frame.js';
import { bufferOf, IpcError, memoryForRead } from './kit.js';

const EMPTY = Buffer.alloc(0);

/** Messages from this size on are read straight into their own memory. */
const DIRECT = 16 * 1024;

/**
 * Cuts what was read of a stream into messages, which are slices of it where they lie in it as a whole.
 *
 * Lifetime: that of its receiver. What is wrong with a stream stays wrong: every call from then on throws it.
 */
export class FrameParser {
  readonly #maxMessageSize: number;
  readonly #header = Buffer.alloc(HEADER);
  #headerFilled = 0;
  #chunk: Buffer = EMPTY;
  #memory: ArrayBufferLike = EMPTY.buffer;
  #base = 0;
  #at = 0;
  /** A message of which a part has come. */
  #message: Buffer | undefined;
  #filled = 0;
  /** Whether the last message was long: then the next header is read by itself, and that one is not copied either. */
  #long = false;
  #ended = false;
  #broken: IpcError | undefined;

  constructor(maxMessageSize: number) {
    this.#maxMessageSize = maxMessageSize;
  }

  /**
   * The next whole message of what was read, `null` at the end; undefined if more must be read first. Throws
   * EMSGSIZE where a length is over the maximum, and ERR_TRUNCATED where the stream has ended inside a frame.
   */
  next(): Buffer | null | undefined {
    const chunk = this.#chunk;
    const at = this.#at;
    const start = at + HEADER;
    // The usual case first: a whole header, and all of its message.
    if (start <= chunk.length && this.#headerFilled === 0 && this.#message === undefined) {
      const length = lengthAt(chunk, at);
      const end = start + length;
      if (end <= chunk.length && length <= this.#maxMessageSize && this.#broken === undefined) {
        this.#at = end;
        return bufferOf(this.#memory, this.#base + start, length);
      }
    }
    return this.#nextInParts();
  }

  /** Where the next read is to put its bytes. */
  target(): ReadTarget {
    const message = this.#message;
    if (message === undefined) {
      return this.#long ? { into: this.#header.subarray(this.#headerFilled) } : {};
    }
    return message.length >= DIRECT ? { into: message.subarray(this.#filled) } : {};
  }

  /** Takes what a read gave, which is `null` at the end. All that was read before has been taken. */
  feed(chunk: Buffer | null): void {
    if (chunk === null) {
      this.#ended = true;
      if (this.#headerFilled > 0 || this.#message !== undefined) {
        this.#broken = new IpcError('ERR_TRUNCATED', { syscall: 'receive' });
      }
      return;
    }
    const message = this.#message;
    this.#at = 0;
    this.#chunk = EMPTY;
    if (message !== undefined && isAt(chunk, message, this.#filled)) {
      this.#filled += chunk.length;
    } else if (isAt(chunk, this.#header, this.#headerFilled)) {
      this.#headerFilled += chunk.length;
    } else {
      this.#chunk = chunk;
      this.#memory = chunk.buffer;
      this.#base = chunk.byteOffset;
    }
  }

  /** Whether bytes were read of which no message was made yet. */
  get hasUnread(): boolean {
    return this.#headerFilled > 0 || this.#message !== undefined || this.#at < this.#chunk.length;
  }

  /** Takes them out, as they came. */
  takeUnread(): Buffer {
    if (!this.hasUnread) return EMPTY;
    const begun = this.#message?.subarray(0, this.#filled) ?? EMPTY;
    const header = this.#header.subarray(0, this.#message ? HEADER : this.#headerFilled);
    const unread = Buffer.concat([header, begun, this.#chunk.subarray(this.#at)]);
    this.#message = undefined;
    this.#headerFilled = 0;
    this.#chunk = EMPTY;
    this.#at = 0;
    return unread;
  }

  /** A message whose header or bytes came in several chunks, or that cannot be had. */
  #nextInParts(): Buffer | null | undefined {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#message === undefined) {
      this.#headerFilled += this.#take(this.#header, this.#headerFilled);
      if (this.#headerFilled < HEADER) return this.#ended ? null : undefined;
      const length = lengthAt(this.#header, 0);
      if (length > this.#maxMessageSize) {
        this.#broken = tooLong(length, this.#maxMessageSize, 'receive');
        throw this.#broken;
      }
      this.#message = this.#memoryFor(length);
      this.#headerFilled = 0;
      this.#filled = 0;
      this.#long = length >= DIRECT;
    }
    const message = this.#message;
    this.#filled += this.#take(message, this.#filled);
    if (this.#filled < message.length) return undefined;
    this.#message = undefined;
    return message;
  }

  /** What cannot be allocated is no less in the way of what follows than what is too long. */
  #memoryFor(length: number): Buffer {
    try {
      return memoryForRead(length);
    } catch (cause) {
      this.#broken = new IpcError('ENOMEM', {
        syscall: 'receive',
        hint: `a message of ${length} bytes comes: lower maxMessageSize on both ends, or send it in parts`,
        cause,
      });
      throw this.#broken;
    }
  }

  /** Moves bytes of the chunk to where they belong; how many. */
  #take(into: Buffer, at: number): number {
    const count = this.#chunk.copy(into, at, this.#at);
    this.#at += count;
    return count;
  }
}

/** Whether what was read lies at its place already: so far in this memory. */
function isAt(chunk: Buffer, memory: Buffer, offset: number): boolean {
  return chunk.buffer === memory.buffer && chunk.byteOffset === memory.byteOffset + offset;
}

/** Four times as quick as readUInt32LE. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
