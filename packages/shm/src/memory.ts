import type { WaitOptions } from '@octoipc/core';
import {
  integer,
  oneOf,
  optionalBoolean,
  optionsObject,
  rangeError,
  type OwnedResource,
  type Temporary,
} from '@octoipc/core/kit';

import { ADVICE, type MemoryAdvice } from './advice.js';
import { binding } from './binding.js';
import { MappedMemory } from './mapped-memory.js';
import type { Mapping } from './mapping.js';
import { rangeWithin, type MemoryRange } from './range.js';
import { WordWaits, type WordMemory } from './word-waits.js';

/** What a mapping is owned with. Never refers to the handle, nor to the buffer. */
export interface OwnedMemory {
  /** Unmaps, where the handle was collected. */
  forget: () => void;
  /** Closes what is mapped. */
  readonly letGo: () => void;
  readonly temporary: Temporary | undefined;
}

/** Not made in a constructor, whose closures would keep what it constructs. */
function releasing(owned: OwnedMemory): OwnedResource {
  return {
    release() {
      owned.forget();
      owned.letGo();
      owned.temporary?.end();
    },
  };
}

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
export abstract class Memory extends MappedMemory {
  readonly #owned: OwnedMemory;
  readonly #waits: WordWaits;

  /** @internal */
  protected constructor(mapping: Mapping, owned: OwnedMemory, readOnly: boolean) {
    super(mapping, releasing(owned), readOnly);
    this.#owned = owned;
    this.#waits = new WordWaits(this.#wordMemory());
    owned.forget = mapping.forget();
    owned.temporary?.belongsTo(this);
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
    this.checkMemory('mlock');
    this.setLocked(true);
  }

  /** Takes `lockInMemory` back. */
  unlockFromMemory(): void {
    this.checkMemory('munlock');
    this.setLocked(false);
  }

  /** Pending waits reject with `ERR_CLOSED`, and views have length 0 where that is possible. */
  override close(): void {
    if (this.closed) return;
    // Before the memory goes: a wake that had come is handed on.
    this.#waits.fail(this.describe());
    this.#owned.forget = () => {};
    this.mapping.close();
    this.forgetViews();
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

  /** @internal */
  protected setLocked(lock: boolean): void {
    this.mapping.lock(lock, this.details(lock ? 'mlock' : 'munlock'));
  }

  /** The object has another size now: fresh views, and the old ones reach it no more. @internal */
  protected remap(mapping: Mapping): void {
    const waits = this.#waits.pending();
    const old = this.mapping;
    this.map(mapping);
    this.#owned.forget = mapping.forget();
    // Whoever waits looks again, at the memory as it is now.
    for (const wait of waits) wait.wake();
    old.close(true);
  }

  /** Not in the constructor, where what is released would refer to the handle as well, for ever. */
  #wordMemory(): WordMemory {
    return {
      wordAt: (byteOffset) => this.#wordAt(byteOffset),
      words: () => this.wordsOf('futex'),
      details: () => this.details('futex'),
    };
  }

  #wordAt(byteOffset: number): number {
    this.check('futex');
    integer(byteOffset, 'byteOffset', 0, this.mapping.byteLength - 4);
    if (byteOffset % 4 !== 0) throw rangeError('byteOffset', 'a multiple of 4', byteOffset);
    return byteOffset / 4;
  }

  #range(range: MemoryRange | undefined): [number, number] {
    this.checkMemory('mmap');
    return rangeWithin(range, this.mapping.byteLength);
  }

  #setAlive(alive: boolean): this {
    this.#waits.ref(alive);
    return this;
  }
}
