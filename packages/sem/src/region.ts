import { types } from 'node:util';

import {
  check,
  closedError,
  errorOf,
  integer,
  IpcError,
  rangeError,
  typeError,
} from '@octoipc/core/kit';

import { binding, type Holder, type SemBinding } from './binding.js';
import { EFAULT, EINVAL } from './errno.js';

/** Memory that a semaphore or a lock can live in: of a SharedMemory, or a SharedArrayBuffer of the workers of one process. */
export type LockMemory =
  | ArrayBufferLike
  | ArrayBufferView
  | { readonly buffer: ArrayBufferLike; readonly closed?: boolean };

/**
 * Memory of one semaphore or lock.
 *
 * Lifetime: mapped until `close`, which detaches its buffer first: who still looks at its words then finds
 * none. Memory that processes share is mapped a second time, so the region does not depend on whoever
 * passed it.
 */
export class Region {
  readonly binding: SemBinding;
  /** Its native number. */
  readonly index: number;
  readonly words: Int32Array;

  private constructor(native: SemBinding, index: number, words: Int32Array) {
    this.binding = native;
    this.index = index;
    this.words = words;
  }

  /**
   * Maps a file's first bytes.
   *
   * @param tracked - whether its words are locks, whose owners may die
   */
  static ofFile(fd: number, bytes: number, tracked: boolean, target: string): Region {
    const native = binding();
    const holder: Holder = {};
    const index = check(native.regionOfFile(fd, bytes, tracked, holder), 'mmap', { target });
    return new Region(native, index, new Int32Array(holder.buffer!));
  }

  /**
   * Maps memory that was passed; private memory is used as it is, which only a SharedArrayBuffer's stays.
   *
   * @throws {TypeError} ERR_INVALID_ARG_TYPE for any other private memory
   */
  static ofMemory(memory: Uint8Array): Region {
    const native = binding();
    const holder: Holder = {};
    const index = native.regionOfMemory(memory, holder);
    if (index >= 0) return new Region(native, index, new Int32Array(holder.buffer!));
    if (index === EFAULT) {
      throw new IpcError('EFAULT', { syscall: 'mremap', hint: 'the memory ends before its end' });
    }
    if (index !== EINVAL) throw errorOf(index, 'mremap', { hint: HINTS[index] });
    const { buffer, byteOffset, length } = memory;
    if (!types.isSharedArrayBuffer(buffer)) throw typeError('memory', SHARED, buffer);
    const words = new Int32Array(buffer, byteOffset, length / 4);
    return new Region(native, check(native.regionBorrow(memory, memory), 'mmap'), words);
  }

  close(): void {
    this.binding.regionClose(this.index);
  }
}

const SHARED =
  'memory that processes share, or a SharedArrayBuffer: an ArrayBuffer of this process may be transferred or cut short under a lock';

const HINTS: Readonly<Record<number, string>> = {
  [-13]: 'the memory may only be read: open it for writing',
  [-95]: 'this kind of shared memory cannot be mapped twice (huge pages): use another',
};

/**
 * The bytes of a lock in memory that the caller passed.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no memory, or no shared memory
 * @throws {RangeError} ERR_OUT_OF_RANGE when the offset is misaligned, or too little memory follows it
 * @throws {IpcError} ERR_CLOSED when the memory was closed or transferred away
 */
export function memoryAt(
  memory: LockMemory,
  byteOffset: number,
  size: number,
  alignment: number,
): Uint8Array {
  const { buffer, from, length } = bytesOf(memory);
  integer(byteOffset, 'byteOffset', 0);
  const start = from + byteOffset;
  if (start % alignment !== 0) {
    throw rangeError('byteOffset', `a multiple of ${alignment} within the memory`, byteOffset);
  }
  if (byteOffset + size > length) {
    throw rangeError(
      'byteOffset',
      `${size} bytes before the memory's end, at ${length}`,
      byteOffset,
    );
  }
  return new Uint8Array(buffer, start, size);
}

function bytesOf(memory: unknown): { buffer: ArrayBufferLike; from: number; length: number } {
  if (typeof memory !== 'object' || memory === null) throw notMemory(memory);
  if ('closed' in memory && memory.closed === true) throw closedError({ target: 'memory' });
  let [buffer, from, length]: [unknown, number, number | undefined] = [memory, 0, undefined];
  if (ArrayBuffer.isView(memory)) {
    try {
      [buffer, from, length] = [memory.buffer, memory.byteOffset, memory.byteLength];
    } catch {
      throw closedError({ target: 'memory' });
    }
  } else if ('buffer' in memory) {
    ({ buffer } = memory);
  }
  // Of whatever realm: a test runner's modules have another than its addons.
  if (!types.isAnyArrayBuffer(buffer)) {
    throw notMemory(memory);
  }
  // A detached buffer has no bytes; nothing of use has none.
  if (buffer.byteLength === 0) throw closedError({ target: 'memory' });
  return { buffer, from, length: length ?? buffer.byteLength };
}

function notMemory(value: unknown): TypeError {
  return typeError('memory', 'a SharedMemory or a SharedArrayBuffer', value);
}
