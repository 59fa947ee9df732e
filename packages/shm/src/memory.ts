import { types } from 'node:util';

import type { Bytes, IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  closedError,
  integer,
  oneOf,
  optionalBoolean,
  optionsObject,
  rangeError,
  ResourceHandle,
  type Temporary,
} from '@octoipc/core/kit';

import { ADVICE, type MemoryAdvice } from './advice.js';
import { binding } from './binding.js';
import { copyInto, copyOf } from './copies.js';
import type { Mapping, MemoryBuffer } from './mapping.js';
import { rangeWithin, type MemoryRange } from './range.js';
import { sizeOf, type ViewConstructor } from './view.js';
import { WordWaits, type WordMemory } from './word-waits.js';

/** What a mapping is owned with. Never refers to the handle, nor to the buffer. */
export interface OwnedMemory {
  /** Unmaps, where the handle was collected. */
  forget: () => void;
  /** Closes what is mapped. */
  readonly letGo: () => void;
  readonly temporary: Temporary | undefined;
}

/** Handles that must live as long as their buffers do: collected, they would unmap what is in use. */
const keepers = new WeakMap<MemoryBuffer, Memory>();

/**
 * Memory that processes share, whatever object it is of.
 *
 * Lifetime:
 * 1. Mapped from construction until `close()`, else until neither the handle nor a view of its memory
 *    is in use any more, else until its thread ends.
 * 2. `close()` rejects pending waits; then an ArrayBuffer's views have length 0, a SharedArrayBuffer's
 *    go on with what is no handle's any more.
 * 3. A pending wait keeps the handle and the process alive (`unref()`: only the handle).
 */
export abstract class Memory extends ResourceHandle {
  /** @internal */
  mapping: Mapping;
  readonly #owned: OwnedMemory;
  readonly #waits: WordWaits;
  #bytes: Uint8Array | undefined;
  #words: Int32Array | undefined;
  #readOnly: boolean;

  /** @internal */
  protected constructor(mapping: Mapping, owned: OwnedMemory, readOnly: boolean) {
    super({
      release() {
        owned.forget();
        owned.letGo();
        owned.temporary?.end();
      },
    });
    this.mapping = mapping;
    this.#readOnly = readOnly;
    this.#owned = owned;
    this.#waits = new WordWaits(this.#wordMemory());
    owned.forget = mapping.forget();
    owned.temporary?.belongsTo(this);
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
    this.#checkMemory('mmap');
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
    this.#checkMemory('mmap');
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
    this.#checkMemory('mmap');
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
    this.#checkMemory('mmap');
    const copy = copyOf(this.mapping, byteOffset, length, this.details('mmap'));
    this.#checkMemory('mmap');
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
    this.#checkMemory('mmap');
    const details = this.details('mmap');
    copyInto(this.mapping, byteOffset, bytes, { readOnly: this.#readOnly, details });
    this.#checkMemory('mmap');
  }

  /**
   * Waits until somebody notifies the 32-bit word at an offset, as long as it has the expected value: a
   * futex between processes. As with any futex a wait may end for no reason: look at the word again.
   *
   * @param byteOffset - where the word is, a multiple of 4
   * @param expected - the value, signed or unsigned
   * @returns `'not-equal'` at once when the word has another value, else `'ok'` when it was notified or
   *   has changed
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the handle is closed, now or while it waits
   * @throws {RangeError} ERR_OUT_OF_RANGE when there is no such word
   * @see futex(2), futex_waitv(2)
   */
  wait(byteOffset: number, expected: number, options?: WaitOptions): Promise<'ok' | 'not-equal'> {
    try {
      return this.#waits.wait(byteOffset, expected, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * As `wait`, but blocks the calling thread.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  waitSync(
    byteOffset: number,
    expected: number,
    options?: { readonly timeout?: number | undefined },
  ): 'ok' | 'not-equal' {
    return this.#waits.waitSync(byteOffset, expected, options);
  }

  /**
   * Wakes those who wait for a word, here and in other processes, in the order in which they came.
   *
   * @param byteOffset - where the word is, a multiple of 4
   * @param count - how many at most; Infinity for all
   * @returns how many it were
   * @see futex(2)
   */
  notify(byteOffset: number, count = 1): number {
    return this.#waits.notify(byteOffset, count);
  }

  /**
   * Writes what was changed to where the object is kept: of use for mapped files alone.
   *
   * @param range - which part, and `wait: false` to only begin with it
   * @throws {IpcError} EIO when the device fails
   * @see msync(2)
   */
  sync(range?: MemoryRange & { readonly wait?: boolean | undefined }): void {
    const { wait = true } = optionsObject(range);
    optionalBoolean(wait, 'options.wait');
    const [byteOffset, length] = this.#range(range);
    this.mapping.sync(byteOffset, length, wait, this.details('msync'));
  }

  /**
   * Tells the system how a part of the memory will be used.
   *
   * @param advice - `'willneed'` and so on, as madvise(2) has it
   * @throws {IpcError} EINVAL when the kernel does not know it for such memory
   * @see madvise(2)
   */
  advise(advice: MemoryAdvice, range?: MemoryRange): void {
    const name = oneOf(advice, 'advice', Object.keys(ADVICE) as MemoryAdvice[]);
    const [byteOffset, length] = this.#range(range);
    this.mapping.advise(byteOffset, length, binding()[ADVICE[name]], this.details('madvise'));
  }

  /**
   * Keeps the memory from being swapped out, until it is closed or unlocked.
   *
   * @throws {IpcError} ENOMEM or EPERM when RLIMIT_MEMLOCK does not allow it
   * @see mlock(2)
   */
  lockInMemory(): void {
    this.#checkMemory('mlock');
    this.setLocked(true);
  }

  /** Takes `lockInMemory` back. */
  unlockFromMemory(): void {
    this.#checkMemory('munlock');
    this.setLocked(false);
  }

  /** Pending waits reject with `ERR_CLOSED`, and views have length 0 where that is possible. */
  override close(): void {
    if (this.closed) return;
    // Before the memory goes: a wake that had come is handed on.
    this.#waits.fail(this.describe());
    this.#owned.forget = () => {};
    this.mapping.close();
    this.#bytes = undefined;
    this.#words = undefined;
    super.close();
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    return this.#setAlive(true);
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    return this.#setAlive(false);
  }

  protected override describe(): IpcErrorDetails {
    return this.details('mmap');
  }

  /** @internal */
  protected abstract details(syscall: string): IpcErrorDetails;

  /** @internal */
  protected setLocked(lock: boolean): void {
    this.mapping.lock(lock, this.details(lock ? 'mlock' : 'munlock'));
  }

  /** @internal */
  protected becomeReadOnly(): void {
    this.#readOnly = true;
  }

  /** The object has another size now: fresh views, and the old ones reach it no more. @internal */
  protected remap(mapping: Mapping): void {
    const waits = this.#waits.pending();
    const old = this.mapping;
    this.mapping = mapping;
    this.#owned.forget = mapping.forget();
    this.#bytes = undefined;
    this.#words = undefined;
    // Whoever waits looks again, at the memory as it is now.
    for (const wait of waits) wait.wake();
    old.close(true);
  }

  /** @internal */
  protected check(syscall: string): void {
    if (this.closed) throw closedError(this.details(syscall));
  }

  #checkMemory(syscall: string): void {
    this.check(syscall);
    this.mapping.checkFaults(this.details(syscall));
  }

  #buffer(): MemoryBuffer {
    const { buffer } = this.mapping;
    if (!keepers.has(buffer)) keepers.set(buffer, this);
    return buffer;
  }

  /** Not in the constructor, where what is released would refer to the handle as well, for ever. */
  #wordMemory(): WordMemory {
    return {
      wordAt: (byteOffset) => this.#wordAt(byteOffset),
      words: () => this.#wordsOf('futex'),
      details: () => this.details('futex'),
    };
  }

  #wordAt(byteOffset: number): number {
    this.check('futex');
    integer(byteOffset, 'byteOffset', 0, this.mapping.byteLength - 4);
    if (byteOffset % 4 !== 0) throw rangeError('byteOffset', 'a multiple of 4', byteOffset);
    return byteOffset / 4;
  }

  #wordsOf(syscall: string): Int32Array {
    this.#checkMemory(syscall);
    this.#words ??= new Int32Array(this.#buffer(), 0, Math.floor(this.mapping.byteLength / 4));
    return this.#words;
  }

  #range(range: MemoryRange | undefined): [number, number] {
    this.#checkMemory('mmap');
    return rangeWithin(range, this.mapping.byteLength);
  }

  #setAlive(alive: boolean): this {
    this.#waits.ref(alive);
    return this;
  }
}
