import { bufferOf, untransferable } from '@octoipc/core/kit';

/** Up to this a loop over words is quicker than TypedArray.prototype.set, which needs a view of the source. */
const SMALL = 128;

/**
 * Memory that is never used twice, so that what is copied into it belongs to who gets it: one allocation
 * for many copies.
 */
export class CopySlab {
  bytes: Buffer = Buffer.alloc(0);
  memory: ArrayBufferLike = this.bytes.buffer;
  used = 0;
  #words = new Int32Array(this.memory);
  readonly #size: number;
  readonly #longest: number;

  /**
   * @param size - of what is allocated at a time
   * @param longest - what is longer gets memory of its own
   */
  constructor(size: number, longest: number) {
    this.#size = size;
    this.#longest = longest;
  }

  /** Sees to it that so many bytes are free from `used` on. */
  need(room: number): void {
    // It is empty if somebody has detached it all the same.
    if (this.bytes.length - this.used >= room && this.bytes.length > 0) return;
    this.bytes = Buffer.allocUnsafeSlow(this.#size);
    this.memory = this.bytes.buffer;
    untransferable(this.memory);
    this.#words = new Int32Array(this.memory);
    this.used = 0;
  }

  /**
   * @param bytes - where it is
   * @param words - the same memory
   * @param at - a multiple of 8, and there is room up to the next behind the end
   * @param length - of what is copied
   */
  copy(bytes: Uint8Array, words: Int32Array, at: number, length: number): Buffer {
    if (length > this.#longest) {
      const alone = Buffer.allocUnsafeSlow(length);
      alone.set(new Uint8Array(bytes.buffer, bytes.byteOffset + at, length));
      return alone;
    }
    this.need(length + 7);
    const start = this.used;
    this.used = start + ((length + 7) & ~7);
    if (length <= SMALL) {
      copyWords(this.#words, start >> 2, words, at >> 2, ((length + 7) & ~7) >> 2);
    } else {
      this.bytes.set(new Uint8Array(bytes.buffer, bytes.byteOffset + at, length), start);
    }
    return bufferOf(this.memory, start, length);
  }
}

/** An even number of words; four at a time, which takes half as long as one by one. */
function copyWords(
  into: Int32Array,
  to: number,
  from: Int32Array,
  at: number,
  count: number,
): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    into[to + i] = from[at + i]!;
    into[to + i + 1] = from[at + i + 1]!;
    into[to + i + 2] = from[at + i + 2]!;
    into[to + i + 3] = from[at + i + 3]!;
  }
  if (i < count) {
    into[to + i] = from[at + i]!;
    into[to + i + 1] = from[at + i + 1]!;
  }
}
