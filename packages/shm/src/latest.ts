import { arch } from 'node:process';

import type { IpcErrorDetails } from '@octoipc/core';
import { bufferOf, check, IpcError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EBADMSG, EBUSY } from './errno.js';
import type { Memory } from './memory.js';
import { AT, VALUE, type RacingGeometry } from './racing-layout.js';
import { ownIdentity } from './seat.js';
import { DATA, MAGIC } from './shared-header.js';

/** After so many versions that were overwritten while they were read, a reader takes a turn of its own. */
const TRIES = 100;

/** Up to this a loop over words is quicker than TypedArray.prototype.set. */
const SMALL = 256;

/** Of a slot that was written to. */
const KIND = 1;

const SLAB_SIZE = 64 * 1024;
/** A value that is larger gets memory of its own. */
const LARGEST_SHARED = 8 * 1024;

/** Elsewhere loads are not reordered with loads. */
const NEEDS_FENCE = arch !== 'x64' && arch !== 'ia32';

let slab = Buffer.alloc(0);
let memory: ArrayBufferLike = slab.buffer;
let words = new Uint32Array(memory);
let used = 0;

/** Room in memory that is never used twice, a multiple of 8. */
function roomFor(length: number): number {
  if (slab.length - used < length + 7 || slab.length === 0) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    memory = slab.buffer;
    words = new Uint32Array(memory);
    used = 0;
  }
  const start = used;
  used += (length + 7) & ~7;
  return start;
}

/** The two slots of a value and what says which one counts: docs/layout.md, Values. */
export class Latest {
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #numbers: BigUint64Array;
  readonly #slot: number;
  readonly #longest: number;
  readonly #identity: Uint8Array;

  constructor(mapped: Memory, { size, longest, namespace }: RacingGeometry, own: IpcErrorDetails) {
    this.#bytes = mapped.bytes;
    this.#words = mapped.view(Uint32Array);
    this.#numbers = mapped.view(BigUint64Array, 0, DATA / 8);
    this.#slot = size;
    this.#longest = longest;
    this.#identity = new Uint8Array(BigUint64Array.of(ownIdentity(namespace, own)).buffer);
  }

  get version(): number {
    return Number(Atomics.load(this.#numbers, AT.newest / 8));
  }

  /**
   * The bits of who slept.
   *
   * @throws {IpcError} EBUSY when somebody stands still in the middle of setting it
   */
  set(bytes: Uint8Array, details: IpcErrorDetails): number {
    const bits = binding().valueSet(this.#bytes, this.#identity, this.#slot, bytes);
    return bits >= 0 ? bits : fail(bits, details);
  }

  /** The bytes; `null` if there are none, `undefined` if they cannot be. */
  get(details: IpcErrorDetails): Buffer | null | undefined {
    let overtaken = -1;
    for (let i = 0; i < TRIES; i++) {
      const { version } = this;
      if (overtaken === version) return undefined;
      // What was wiped out, or cut off, has no version either.
      if (version === 0) return this.#words[MAGIC] === VALUE.magic ? null : undefined;
      const at = DATA + (version % 2) * this.#slot;
      // Once: another process may change it while it is looked at.
      const length = this.#words[at / 4]!;
      const possible = length <= this.#longest && this.#words[at / 4 + 1] === KIND;
      const copy = possible ? this.#copy(at + 8, length) : undefined;
      if (NEEDS_FENCE) binding().acquireFence();
      const ahead = Number(Atomics.load(this.#numbers, AT.begun / 8)) - version;
      if (ahead === 0 || ahead === 1) return copy;
      // Another version must be there by now.
      overtaken = version;
    }
    return this.#getInTurn(details);
  }

  #copy(at: number, length: number): Buffer {
    const bytes = this.#bytes;
    if (length > LARGEST_SHARED) {
      const alone = Buffer.allocUnsafeSlow(length);
      alone.set(bytes.subarray(at, at + length));
      return alone;
    }
    const start = roomFor(length);
    if (length <= SMALL) {
      const from = this.#words;
      const target = start >> 2;
      const source = at >> 2;
      const count = (length + 3) >> 2;
      for (let i = 0; i < count; i++) words[target + i] = from[source + i]!;
    } else {
      slab.set(bytes.subarray(at, at + length), start);
    }
    return bufferOf(memory, start, length);
  }

  #getInTurn(details: IpcErrorDetails): Buffer | undefined {
    const into = Buffer.allocUnsafeSlow(this.#longest);
    const length = binding().valueGet(this.#bytes, this.#identity, this.#slot, into);
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
