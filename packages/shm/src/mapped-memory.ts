import { types } from 'node:util';

import type { Bytes, IpcErrorDetails } from '@octoipc/core';
import {
  closedError,
  integer,
  rangeError,
  ResourceHandle,
  type OwnedResource,
} from '@octoipc/core/kit';

import { copyInto, copyOf } from './copies.js';
import type { Mapping, MemoryBuffer } from './mapping.js';
import { sizeOf, type ViewConstructor } from './view.js';

/** Handles that must live as long as their buffers do: collected, they would unmap what is in use. */
const keepers = new WeakMap<MemoryBuffer, MappedMemory>();

/**
 * Memory that is mapped, as bytes and as numbers.
 *
 * Lifetime: mapped from construction until `close()`, else until neither the handle nor a view of its memory is in
 * use any more, else until its thread ends.
 */
export abstract class MappedMemory extends ResourceHandle {
  /** @internal */
  mapping: Mapping;
  #bytes: Uint8Array | undefined;
  #words: Int32Array | undefined;
  #readOnly: boolean;

  /** @internal */
  protected constructor(mapping: Mapping, owned: OwnedResource, readOnly: boolean) {
    super(owned);
    this.mapping = mapping;
    this.#readOnly = readOnly;
  }

  /**
   * The memory itself, from the object's first byte to its last: a SharedArrayBuffer where the runtime
   * can make one over foreign memory, else an ArrayBuffer.
   *
   * @throws {IpcError} ERR_TRUNCATED when somebody has made the object smaller
   * @throws {IpcError} EACCES when somebody stored into a read-only memory since the last call
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  get buffer(): MemoryBuffer {
    this.checkMemory('mmap');
    return this.#buffer();
  }

  /** Whether `buffer` is a SharedArrayBuffer. */
  get shared(): boolean {
    this.check('mmap');
    return types.isSharedArrayBuffer(this.#buffer());
  }

  /** Whether its memory can only be read; sealing it against writing makes that so. */
  get readOnly(): boolean {
    return this.#readOnly;
  }

  /** The size of the object, to the byte. */
  get byteLength(): number {
    this.check('mmap');
    return this.mapping.byteLength;
  }

  /** All of the memory as bytes; throws as `buffer` does. */
  get bytes(): Uint8Array {
    this.checkMemory('mmap');
    this.#bytes ??= new Uint8Array(this.#buffer());
    return this.#bytes;
  }

  /**
   * The memory, or a part of it, as numbers of some type.
   *
   * @param constructor - `Float64Array`, `BigInt64Array`, `DataView`, …
   * @param byteOffset - where it begins, a multiple of the type's size
   * @param length - how many numbers (bytes, for a DataView); the rest if left out
   * @throws {RangeError} ERR_OUT_OF_RANGE when that is misaligned, or not within the memory
   * @throws {IpcError} ERR_CLOSED when the handle is closed; ERR_TRUNCATED and EACCES as `buffer`
   */
  view<V extends ArrayBufferView>(
    constructor: ViewConstructor<V>,
    byteOffset = 0,
    length?: number,
  ): V {
    const size = sizeOf(constructor);
    this.checkMemory('mmap');
    const { byteLength } = this.mapping;
    integer(byteOffset, 'byteOffset', 0, byteLength);
    if (byteOffset % size !== 0)
      throw rangeError('byteOffset', `a multiple of ${size}`, byteOffset);
    const most = Math.floor((byteLength - byteOffset) / size);
    const count = length === undefined ? most : integer(length, 'length', 0, most);
    return new constructor(this.#buffer(), byteOffset, count);
  }

  /**
   * Copies a part of the memory. Unlike `buffer` it works in every runtime, and what it says was read is what
   * was there: a truncation meanwhile throws.
   *
   * @param byteOffset - where it begins
   * @param length - how many bytes; the rest if left out
   * @returns the bytes, which nobody else has
   * @throws {RangeError} ERR_OUT_OF_RANGE when that is not within the memory
   * @throws {IpcError} ERR_TRUNCATED when somebody has made the object smaller; ERR_CLOSED when the handle is closed
   */
  read(byteOffset = 0, length?: number): Buffer {
    this.checkMemory('mmap');
    const copy = copyOf(this.mapping, byteOffset, length, this.details('mmap'));
    this.checkMemory('mmap');
    return copy;
  }

  /**
   * Copies bytes into the memory. Unlike `buffer` it works in every runtime, and what it stored is there: a
   * truncation meanwhile throws.
   *
   * @param byteOffset - where they go
   * @param bytes - a string as UTF-8, or a view; as many as there is room for from `byteOffset` on, at most
   * @throws {RangeError} ERR_OUT_OF_RANGE when they are not within the memory
   * @throws {IpcError} EACCES when the memory is for reading only
   * @throws {IpcError} ERR_TRUNCATED when somebody has made the object smaller; ERR_CLOSED when the handle is closed
   */
  write(byteOffset: number, bytes: Bytes | ArrayBufferView): void {
    this.checkMemory('mmap');
    const details = this.details('mmap');
    copyInto(this.mapping, byteOffset, bytes, { readOnly: this.#readOnly, details });
    this.checkMemory('mmap');
  }

  protected override describe(): IpcErrorDetails {
    return this.details('mmap');
  }

  /** @internal */
  protected abstract details(syscall: string): IpcErrorDetails;

  /** @internal */
  protected becomeReadOnly(): void {
    this.#readOnly = true;
  }

  /** What is mapped from now on: fresh views. @internal */
  protected map(mapping: Mapping): void {
    this.mapping = mapping;
    this.forgetViews();
  }

  /** @internal */
  protected forgetViews(): void {
    this.#bytes = undefined;
    this.#words = undefined;
  }

  /** @internal */
  protected check(syscall: string): void {
    if (this.closed) throw closedError(this.details(syscall));
  }

  /** @internal */
  protected checkMemory(syscall: string): void {
    this.check(syscall);
    this.mapping.checkFaults(this.details(syscall));
  }

  #buffer(): MemoryBuffer {
    const { buffer } = this.mapping;
    if (!keepers.has(buffer)) keepers.set(buffer, this);
    return buffer;
  }

  /** @internal */
  protected wordsOf(syscall: string): Int32Array {
    this.checkMemory(syscall);
    this.#words ??= new Int32Array(this.#buffer(), 0, Math.floor(this.mapping.byteLength / 4));
    return this.#words;
  }
}
