import { bufferOf, untransferable } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { ENOBUFS } from './errno.js';

const SIZE = 256 * 1024;

/** So many messages at a time. */
const BATCH = 512;

/** Before another batch there is room for some. */
const LEAST = 4096;

const padded = (length: number): number => (length + 7) & ~7;

/**
 * What a reader of a broadcast has taken and not given away yet: many messages by one native call, in memory
 * that is never used twice, so each belongs to who gets it.
 */
export class MessageSlab {
  readonly #found = new Int32Array(2 * BATCH);
  #memory = Buffer.alloc(0);
  #used = 0;
  #next = 0;
  #count = 0;

  /** Whether all was given away. */
  get empty(): boolean {
    return this.#next === this.#count;
  }

  /**
   * Takes what is there.
   *
   * @returns how many messages, or -errno
   */
  fill(memory: Uint8Array, position: Uint8Array): number {
    this.#next = this.#count = 0;
    if (this.#memory.length - this.#used < LEAST) this.#renew(SIZE);
    let count = this.#take(memory, position);
    // Again where the producer has overtaken us meanwhile, and what is next now is longer.
    for (let size = SIZE; count === ENOBUFS; size *= 2) {
      this.#renew(Math.max(size, this.#found[0]!));
      count = this.#take(memory, position);
    }
    if (count > 0) {
      this.#count = count;
      this.#used = this.#found[2 * count - 2]! + padded(this.#found[2 * count - 1]!);
    }
    return count;
  }

  /** The next message. */
  next(): Buffer {
    const at = this.#next++;
    return bufferOf(this.#memory.buffer, this.#found[2 * at]!, this.#found[2 * at + 1]!);
  }

  #take(memory: Uint8Array, position: Uint8Array): number {
    return binding().broadcastTake(memory, position, this.#memory, this.#used, this.#found);
  }

  #renew(size: number): void {
    this.#memory = Buffer.allocUnsafeSlow(size);
    this.#used = 0;
    // Others' messages, and those that are still here, are in it too.
    untransferable(this.#memory.buffer);
  }
}
