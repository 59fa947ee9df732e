import { constants } from 'node:buffer';

import type { IpcErrorDetails } from '@octoipc/core';
import { check, IpcError, unsupportedError } from '@octoipc/core/kit';

import { binding, type ShmBinding } from './binding.js';
import { EACCES } from './errno.js';

/** The memory of an object as JavaScript has it. */
export type MemoryBuffer = ArrayBuffer | SharedArrayBuffer;

/** What `mapFaults` answers; bits. */
export const FAULT = { truncated: 1, readOnly: 2, noMemory: 4 } as const;

/** Where pages come from that a fault has replaced. */
export interface MappingSource {
  /** A descriptor, or the id of a System V segment. */
  readonly number: number;
  readonly attached: boolean;
}

const where = new Float64Array(1);

/** The number of this process's latest fault; a new one each time where it cannot be seen. */
let latestFault = (): number => {
  const memory = binding().faultCount();
  if (memory === undefined) {
    let count = 0;
    latestFault = () => count++;
  } else {
    const seen = new Uint32Array(memory);
    latestFault = () => Atomics.load(seen, 0);
  }
  return latestFault();
};

/**
 * One mapping of an object, whole, and the one buffer over it.
 *
 * Lifetime:
 * 1. Mapped from construction to `close()`. The buffer is made at its first use, once: V8 refuses two
 *    shared buffers at one address, so each handle has a mapping of its own.
 * 2. `close()` detaches an ArrayBuffer: its views have length 0 from then on. A SharedArrayBuffer cannot
 *    be detached; its memory stays until its last view is collected.
 * 3. Forgotten, it is unmapped at the end of its thread, and its memory when that is collected.
 */
export class Mapping {
  readonly byteLength: number;
  readonly #binding: ShmBinding;
  readonly #source: MappingSource;
  readonly #index: number;
  #buffer: MemoryBuffer | undefined;
  /** The process's latest fault when this mapping had none. */
  #faultSeen = -1;

  private constructor(index: number, byteLength: number, source: MappingSource) {
    this.#binding = binding();
    this.#index = index;
    this.#source = source;
    this.byteLength = byteLength;
  }

  /** mmap(2) of a whole object. */
  static ofDescriptor(
    fd: number,
    byteLength: number,
    { writable, page, details }: { writable: boolean; page: number; details: IpcErrorDetails },
  ): Mapping {
    checkLength(byteLength, details);
    const index = binding().mapOpen(fd, byteLength, writable, page);
    check(index, 'mmap', details);
    return new Mapping(index, byteLength, { number: fd, attached: false });
  }

  /** shmat(2). */
  static ofSegment(
    id: number,
    byteLength: number,
    { writable, details }: { writable: boolean; details: IpcErrorDetails },
  ): Mapping {
    checkLength(byteLength, details);
    const index = binding().mapAttach(id, byteLength, writable);
    const { target } = details;
    const hint = writable && index === EACCES ? READING_ONLY : undefined;
    check(index, 'shmat', { target, hint });
    return new Mapping(index, byteLength, { number: id, attached: true });
  }

  /** What native functions know it by. */
  get index(): number {
    return this.#index;
  }

  /** The memory; the same object each time. */
  get buffer(): MemoryBuffer {
    this.#buffer ??= this.#binding.mapBuffer(this.#index);
    if (this.#buffer === undefined) {
      throw unsupportedError('memory of the system as an ArrayBuffer', {
        hint: 'this runtime allows no external buffers (Electron does not): use a plain Node.js process for what maps memory',
      });
    }
    return this.#buffer;
  }

  /**
   * Throws what an access to the memory has run into since the last time. The access itself went on
   * with memory that is nobody else's.
   */
  checkFaults(details: IpcErrorDetails): void {
    if (!this.faulted) return;
    const faults = this.#binding.mapFaults(this.#index, where);
    this.#throwFault(faults, where[0] ?? 0, details);
  }

  /** Whether an access to the memory has run into something: no call, as a rule. */
  get faulted(): boolean {
    const count = latestFault();
    if (count === this.#faultSeen) return false;
    if (this.#binding.mapFaults(this.#index, where) > 0) return true;
    this.#faultSeen = count;
    return false;
  }

  /** msync(2). */
  sync(byteOffset: number, length: number, wait: boolean, details: IpcErrorDetails): void {
    check(this.#binding.mapSync(this.#index, byteOffset, length, wait), 'msync', details);
  }

  /** madvise(2). */
  advise(byteOffset: number, length: number, advice: number, details: IpcErrorDetails): void {
    check(this.#binding.mapAdvise(this.#index, byteOffset, length, advice), 'madvise', details);
  }

  /** mlock(2) and munlock(2). */
  lock(lock: boolean, details: IpcErrorDetails): void {
    const result = this.#binding.mapLock(this.#index, 0, this.byteLength, lock);
    check(result, lock ? 'mlock' : 'munlock', details);
  }

  /** Seals the object against writing, and becomes read-only; -errno, and it is as it was. */
  seal(bits: number): number {
    return this.#binding.mapSeal(this.#index, this.#source.number, bits);
  }

  /** Copies out of it, from an offset on. */
  read(byteOffset: number, into: Uint8Array, details: IpcErrorDetails): void {
    check(this.#binding.mapRead(this.#index, byteOffset, into), 'mmap', details);
  }

  /** Copies into it, from an offset on. */
  write(byteOffset: number, bytes: Uint8Array, details: IpcErrorDetails): void {
    check(this.#binding.mapWrite(this.#index, byteOffset, bytes), 'mmap', details);
  }

  /**
   * Unmaps it.
   *
   * @param neutral - views that cannot be detached shall no longer reach the object
   */
  close(neutral = false): void {
    if (this.#buffer === undefined) this.#binding.mapClose(this.#index);
    else this.#binding.mapCloseBuffer(this.#index, this.#buffer, neutral);
    this.#buffer = undefined;
  }

  /** For when its owner was collected: the buffer is gone with it, or is still seen by somebody. */
  forget(): () => void {
    const native = this.#binding;
    const index = this.#index;
    return () => void native.mapClose(index);
  }

  #throwFault(faults: number, at: number, details: IpcErrorDetails): never {
    if ((faults & FAULT.truncated) !== 0) {
      throw new IpcError('ERR_TRUNCATED', {
        ...details,
        text: 'somebody has made the object smaller than its mapping',
        hint: `bytes from about ${at} on are zeroes that nobody else sees: resize() to the size that it is to have, or open it again; a memfd can be protected by seal('shrink')`,
      });
    }
    if ((faults & FAULT.noMemory) !== 0) {
      throw new IpcError('ENOMEM', {
        ...details,
        hint: `the system had no memory for the page at about ${at}: what was stored there is lost`,
      });
    }
    check(
      this.#binding.mapMend(this.#index, this.#source.number, this.#source.attached),
      'mmap',
      details,
    );
    throw new IpcError('EACCES', {
      ...details,
      hint: `somebody stored into this read-only mapping at about ${at}: the store was undone`,
    });
  }
}

const READING_ONLY = 'its mode may allow reading only: pass { readOnly: true }';

/** The longest memory that a typed array can be over. */
export const MOST_BYTES: number = constants.MAX_LENGTH;

function checkLength(byteLength: number, details: IpcErrorDetails): void {
  if (byteLength <= MOST_BYTES) return;
  throw new IpcError('EFBIG', {
    ...details,
    syscall: 'mmap',
    hint: `it has ${byteLength} bytes; this runtime's buffers have ${MOST_BYTES} at most`,
  });
}
