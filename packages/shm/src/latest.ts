import { arch } from 'node:process';

import type { IpcErrorDetails } from '@octoipc/core';
import { check, IpcError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { CopySlab } from './copy-slab.js';
import { EBADMSG, EBUSY } from './errno.js';
import type { Memory } from './memory.js';
import { AT, VALUE, type RacingGeometry } from './racing-layout.js';
import { DATA, MAGIC } from './shared-header.js';

/** After so many versions that were overwritten while they were read, a reader takes a turn of its own. */
const TRIES = 100;

/** Of a slot that was written to. */
const KIND = 1;

/** Elsewhere loads are not reordered with loads. */
const NEEDS_FENCE = arch !== 'x64' && arch !== 'ia32';

/** What values are copied to. */
const slab = new CopySlab(64 * 1024, 8 * 1024);

/** The two slots of a value and what says which one counts: docs/layout.md, Values. */
export class Latest {
  readonly #bytes: Uint8Array;
  /** Of all of it. */
  readonly words: Int32Array;
  readonly #slot: number;
  readonly #longest: number;
  readonly #own: bigint;
  /** The same as bytes, for whoever sets it. */
  #identity: Uint8Array | undefined;
  /** Of the version, when it was read last. */
  #upper = 0;

  /** @param own - what identifies this process */
  constructor(mapped: Memory, { size, longest }: RacingGeometry, own: bigint) {
    this.#bytes = mapped.bytes;
    this.words = mapped.view(Int32Array);
    this.#slot = size;
    this.#longest = longest;
    this.#own = own;
  }

  get version(): number {
    return this.#number(AT.newest);
  }

  /**
   * The bits of who slept.
   *
   * @throws {IpcError} EBUSY when somebody stands still in the middle of setting it
   */
  set(bytes: Uint8Array, details: IpcErrorDetails): number {
    const bits = binding().valueSet(this.#bytes, this.#ownIdentity(), this.#slot, bytes);
    return bits >= 0 ? bits : fail(bits, details);
  }

  /** The bytes; `null` if there are none, `undefined` if they cannot be. */
  get(details: IpcErrorDetails): Buffer | null | undefined {
    let overtaken = -1;
    for (let i = 0; i < TRIES; i++) {
      const { version } = this;
      if (overtaken === version) return undefined;
      // What was wiped out, or cut off, has no version either.
      if (version === 0) return this.words[MAGIC] === VALUE.magic ? null : undefined;
      const at = DATA + (version & 1) * this.#slot;
      // Once: another process may change it while it is looked at.
      const length = this.words[at / 4]! >>> 0;
      const possible = length <= this.#longest && this.words[at / 4 + 1] === KIND;
      const copy = possible ? slab.copy(this.#bytes, this.words, at + 8, length) : undefined;
      if (NEEDS_FENCE) binding().acquireFence();
      const ahead = this.#number(AT.begun) - version;
      if (ahead === 0 || ahead === 1) return copy;
      // Another version must be there by now.
      overtaken = version;
    }
    return this.#getInTurn(details);
  }

  /**
   * A number of 64 bits that only grows, by words of 32: whole if its upper word is, after the lower one
   * was read, what that of the version was before. `begun` is never behind the version.
   */
  #number(at: number): number {
    const low = Atomics.load(this.words, at / 4) >>> 0;
    return this.words[at / 4 + 1] === this.#upper
      ? (this.#upper >>> 0) * 2 ** 32 + low
      : this.#numberAnew(at);
  }

  #numberAnew(at: number): number {
    const words = this.words;
    for (let i = 0; ; i++) {
      const upper = Atomics.load(words, at / 4 + 1);
      const low = Atomics.load(words, at / 4) >>> 0;
      // It changes once in 2^32 times, unless somebody wants us to look for ever.
      if (words[at / 4 + 1] !== upper && i < TRIES) continue;
      if (at === AT.newest) this.#upper = upper;
      return (upper >>> 0) * 2 ** 32 + low;
    }
  }

  #ownIdentity(): Uint8Array {
    this.#identity ??= new Uint8Array(BigUint64Array.of(this.#own).buffer);
    return this.#identity;
  }

  #getInTurn(details: IpcErrorDetails): Buffer | undefined {
    const into = Buffer.allocUnsafeSlow(this.#longest);
    const length = binding().valueGet(this.#bytes, this.#ownIdentity(), this.#slot, into);
    if (length === EBADMSG) return undefined;
    return length >= 0 ? into.subarray(0, length) : fail(length, details);
  }
}

function fail(result: number, details: IpcErrorDetails): never {
  if (result === EBUSY) {
    throw new IpcError('EBUSY', {
      ...details,
      hint: 'a process stands still in the middle of setting it; is it stopped?',
    });
  }
  throw check(result, details.syscall ?? 'mmap', details);
}
