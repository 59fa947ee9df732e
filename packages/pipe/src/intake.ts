import {
  AGAIN,
  BLOCKED,
  bufferOf,
  check,
  DEFAULT_MAX_BYTES,
  errorOf,
  readIntoSlab,
  valueError,
} from '@octoipc/core/kit';

import type { PipeEnd } from './end.js';

type Fill = (memory: Uint8Array, offset: number, length: number) => number;

/** What one read gives: bytes, the end of file, or nothing yet. */
export type Taken = Buffer | null | typeof BLOCKED;

/**
 * Where a reader's bytes come from: what was given back, then the pipe.
 *
 * Lifetime: that of its reader.
 */
export class Intake {
  readonly #end: PipeEnd;
  readonly #ended: () => boolean;
  readonly #fill: Fill;
  readonly #fillSleeping: Fill;
  #returned: Buffer | undefined;

  /** @param ended - whether a read that gives nothing means the end of file */
  constructor(end: PipeEnd, ended: () => boolean) {
    this.#end = end;
    this.#ended = ended;
    this.#fill = (memory, offset, length) => end.read(memory, offset, length);
    this.#fillSleeping = (memory, offset, length) => end.readSleeping(memory, offset, length);
  }

  /** How many bytes were given back. */
  get returned(): number {
    return this.#returned?.length ?? 0;
  }

  /** Bytes that are to be read first, before others that were given back. */
  giveBack(chunks: readonly Buffer[]): void {
    this.#returned = Buffer.concat([...chunks, ...(this.#returned ? [this.#returned] : [])]);
  }

  /** Bytes that can be read now (FIONREAD). */
  get available(): number {
    const { binding, fd, target } = this.#end;
    return check(binding.available(fd), 'ioctl', { target }) + this.returned;
  }

  /** Reads what is there. */
  take(maxBytes: number, into: Uint8Array | undefined): Taken {
    return this.#takeBy(this.#fill, maxBytes, into);
  }

  /** Where this thread may, sleeps in read(2) itself. */
  takeSleeping(maxBytes: number, into: Uint8Array | undefined): Taken {
    return this.#takeBy(this.#fillSleeping, maxBytes, into);
  }

  /** The usual blocking read into the caller's memory; undefined where it is not that, or has failed. */
  takeQuickly(into: Uint8Array): Buffer | undefined {
    const { length } = into;
    if (length === 0 || !this.#end.sleeps || this.#returned !== undefined) return undefined;
    const count = this.#end.fillSleeping(into);
    if (count <= 0) return undefined;
    return count === length && into instanceof Buffer
      ? into
      : bufferOf(into.buffer, into.byteOffset, count);
  }

  #takeBy(fill: Fill, maxBytes: number, into: Uint8Array | undefined): Taken {
    if (this.#returned !== undefined) return this.#takeReturned(this.#returned, maxBytes, into);
    if (into !== undefined) return this.#taken(readInto(into, maxBytes, fill));
    // Memory for what is there, not for what the caller would take at most.
    const size =
      maxBytes <= DEFAULT_MAX_BYTES
        ? maxBytes
        : Math.min(maxBytes, Math.max(DEFAULT_MAX_BYTES, this.available));
    return this.#taken(readIntoSlab(size, fill));
  }

  #takeReturned(returned: Buffer, maxBytes: number, into: Uint8Array | undefined): Buffer {
    if (into?.length === 0) throw detached(into);
    const part = returned.subarray(0, Math.min(maxBytes, into?.length ?? Infinity));
    this.#returned = part.length < returned.length ? returned.subarray(part.length) : undefined;
    if (into === undefined) return part;
    into.set(part);
    return bufferOf(into.buffer, into.byteOffset, part.length);
  }

  #taken(result: Buffer | number): Taken {
    if (typeof result !== 'number') return result;
    // Nothing to read and no writer: the end, unless this is a FIFO whose first writer has yet to come.
    if (result === 0) return this.#ended() ? null : BLOCKED;
    if (result === AGAIN) return BLOCKED;
    throw errorOf(result, 'read', { target: this.#end.target });
  }
}

function readInto(into: Uint8Array, maxBytes: number, fill: Fill): Buffer | number {
  const { buffer, byteOffset, length } = into;
  if (length === 0) throw detached(into);
  const count = fill(into, 0, Math.min(length, maxBytes));
  if (count <= 0) return count;
  return count === length && Buffer.isBuffer(into) ? into : bufferOf(buffer, byteOffset, count);
}

function detached(into: Uint8Array): Error {
  return valueError('options.into', 'was detached while it waited', into);
}
