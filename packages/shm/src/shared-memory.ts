import type { IpcErrorDetails } from '@octoipc/core';
import {
  adopt,
  check,
  descriptor,
  errorOf,
  IpcError,
  optionalBoolean,
  optionsObject,
  typeError,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EBUSY, EINVAL, EPERM } from './errno.js';
import { fileStatus } from './file-status.js';
import { listMemory, type SharedMemoryInfo, type SharedMemoryListOptions } from './list.js';
import { Mapping } from './mapping.js';
import { createMemfd, type MemfdOptions } from './memfd.js';
import { Memory } from './memory.js';
import {
  checkOptions,
  checkSize,
  type FileMemoryOptions,
  type SharedMemoryOpenOptions,
} from './object-options.js';
import {
  NO_ROOM,
  openFile,
  openPosix,
  statusToAdopt,
  unlinkPosix,
  type OpenedObject,
  type Purpose,
} from './posix-open.js';
import { sealBits, sealsOf, type Seal } from './seals.js';

/** How a descriptor is taken over. */
export interface FromFdOptions {
  /** Map it for reading only. @default whether the descriptor, or a seal, allows no more */
  readonly readOnly?: boolean | undefined;
  /**
   * Seals that it must have, or it is refused with `EPERM`: `['shrink']` of what comes from somebody who is not
   * trusted.
   */
  readonly requireSeals?: readonly Seal[] | undefined;
}

/**
 * Shared memory that has a descriptor: of POSIX, a memfd, or a mapped file.
 *
 * @example
 * ```js
 * import { SharedMemory } from '@octoipc/shm';
 *
 * const memory = SharedMemory.memfd({ size: 4096 });
 * const counters = memory.view(Int32Array, 0, 4);
 * Atomics.add(counters, 0, 1);
 * counters[0]; //=> 1
 * memory.close();
 * ```
 * @see shm_overview(7), memfd_create(2), mmap(2)
 */
export class SharedMemory extends Memory {
  readonly #owned: { fd: number };
  readonly #target: string | number;
  readonly #page: number;

  private constructor({ fd, status, target, temporary }: OpenedObject, readOnly: boolean) {
    const owned = { fd };
    const native = binding();
    let mapping: Mapping;
    try {
      mapping = Mapping.ofDescriptor(fd, status.size, {
        writable: !readOnly,
        page: status.page,
        details: { target },
      });
    } catch (error) {
      native.close(fd);
      temporary?.end();
      throw error;
    }
    super(
      mapping,
      { forget: () => {}, letGo: () => void native.close(owned.fd), temporary },
      readOnly,
    );
    this.#owned = owned;
    this.#target = target;
    this.#page = status.page;
  }

  /**
   * Opens POSIX shared memory, or creates it. New memory is zeroes, for which the space is reserved.
   *
   * @param name - a slash, then 1 to 254 bytes without one
   * @param options - how
   * @returns a handle of it, mapped whole
   * @throws {IpcError} ENOENT when there is none and `create` is false; EEXIST when there is one and
   *   `exclusive` is true
   * @throws {IpcError} ENOSPC when `/dev/shm` has no room for it; EACCES when its mode forbids it
   * @throws {IpcError} EINVAL when what exists has fewer bytes than `size`, or none, or is no memory; ELOOP when it is
   *   a symbolic link
   * @see shm_open(3)
   */
  static open(name: string, options?: SharedMemoryOpenOptions): SharedMemory {
    return SharedMemory.with(name, options);
  }

  /** As `open`, for something that is in memory. @internal */
  static with(
    name: string,
    options: SharedMemoryOpenOptions | undefined,
    purpose: Purpose = {},
  ): SharedMemory {
    const checked = checkOptions(options);
    return new SharedMemory(openPosix(name, checked, purpose), checked.readOnly);
  }

  /**
   * Makes memory without a name, which lives as long as somebody has its descriptor or maps it: pass it to
   * a child, or over a socket.
   *
   * @throws {IpcError} ENOMEM or ENOSPC when there is not so much memory, or not so many huge pages
   * @see memfd_create(2)
   */
  static memfd(options: MemfdOptions): SharedMemory {
    return new SharedMemory(createMemfd(options), false);
  }

  /**
   * Maps a file, or creates it. What is stored goes to the file: see `sync`.
   *
   * @throws {IpcError} ENOENT when there is none and `create` is false; ELOOP when it is a symbolic link
   * @throws {IpcError} EINVAL when what exists has fewer bytes than `size`, or none
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is no file
   * @see mmap(2)
   */
  static file(path: string, options?: FileMemoryOptions): SharedMemory {
    const { create, size, readOnly } = optionsObject<FileMemoryOptions>(options);
    const checked = checkOptions({ create, size, readOnly });
    return new SharedMemory(openFile(path, checked), checked.readOnly);
  }

  /**
   * Takes over a descriptor of something that can be mapped; from now on it is this handle's.
   *
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is of something else
   * @throws {IpcError} EBADF when it is none; EACCES when it is open for writing only
   * @throws {IpcError} EPERM when it lacks a seal that is required, or may not be written
   */
  static fromFd(fd: number, options?: FromFdOptions): SharedMemory {
    const number = descriptor(fd);
    const given = optionsObject<FromFdOptions>(options);
    const wanted = optionalBoolean(given.readOnly, 'options.readOnly');
    const required = requiredSeals(given.requireSeals);
    const status = statusToAdopt(number);
    const bits = Math.max(binding().getSeals(number), 0);
    if ((bits & required) !== required) {
      const missing = sealsOf(required & ~bits).join(', ');
      throw new IpcError('EPERM', {
        syscall: 'fcntl',
        target: number,
        hint: `it is not sealed against: ${missing}`,
      });
    }
    const sealed = (bits & sealBits(['write', 'future-write'])) !== 0;
    if (wanted === false && (sealed || !status.writable)) {
      throw new IpcError(sealed ? 'EPERM' : 'EACCES', {
        syscall: 'mmap',
        target: number,
        hint: 'it may only be read: pass { readOnly: true }',
      });
    }
    const readOnly = wanted ?? (sealed || !status.writable);
    // What cannot be mapped stays the caller's.
    const { size, page } = status;
    const details = { target: number };
    Mapping.ofDescriptor(number, size, { writable: !readOnly, page, details }).close();
    const owned = check(adopt(binding(), number), 'fromFd', details);
    return new SharedMemory({ fd: owned, status, target: owned, temporary: undefined }, readOnly);
  }

  /**
   * Removes a name, at once; who has the memory open goes on with it.
   *
   * @throws {IpcError} ENOENT when there is no such name; EACCES or EPERM when it is another user's
   * @see shm_unlink(3)
   */
  static unlink(name: string): void {
    unlinkPosix(name);
  }

  /**
   * The POSIX shared memory of this system, and if asked for memfds and mapped files, with who has it mapped
   * or open, of those whom this user may look at.
   *
   * @param options - which kinds; `holders: false` leaves `mappedBy` and `holders` empty
   * @see shm_overview(7), proc(5)
   */
  static list(options?: SharedMemoryListOptions): SharedMemoryInfo[] {
    return listMemory(options);
  }

  /**
   * The descriptor. It stays this handle's: do not close it.
   *
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  get fd(): number {
    this.check('mmap');
    return this.#owned.fd;
  }

  /**
   * Makes the object larger or smaller and maps it anew; if it has this size already, because somebody else
   * changed it, only that. `buffer`, `bytes` and views are new ones: of the old, those of an ArrayBuffer
   * have length 0, those of a SharedArrayBuffer reach the object no more. Pending waits end with `'ok'`.
   *
   * @param bytes - the new size
   * @throws {IpcError} EPERM when a seal forbids it; EACCES when the handle is for reading only
   * @throws {IpcError} ENOSPC when there is no room for so much
   * @throws {RangeError} ERR_OUT_OF_RANGE when it is no size
   * @see ftruncate(2), posix_fallocate(3)
   */
  resize(bytes: number): void {
    const size = checkSize(bytes, 'bytes');
    this.check('ftruncate');
    const details = this.details('ftruncate');
    const { size: now } = fileStatus(this.#owned.fd, details);
    if (size !== now) this.#setSize(now, size);
    const mapping = Mapping.ofDescriptor(this.#owned.fd, size, {
      writable: !this.readOnly,
      page: this.#page,
      details: this.details('mmap'),
    });
    this.remap(mapping);
  }

  /**
   * Forbids something for good, for everybody who has the memfd. Sealing against writing makes this handle's own
   * mapping read-only; nobody else may have it mapped for writing then.
   *
   * @param seals - what: once forbidden, forbidding it again does nothing
   * @throws {IpcError} EPERM when it is sealed against sealing, or was made with `sealable: false`
   * @throws {IpcError} EBUSY when 'write' is asked for and somebody has it mapped for writing
   * @throws {IpcError} EINVAL when it is no memfd
   * @see fcntl(2), F_ADD_SEALS
   */
  seal(...seals: Seal[]): void {
    const bits = sealBits(seals);
    this.check('fcntl');
    if (bits === 0) return;
    const write = (bits & sealBits(['write'])) !== 0 && !this.readOnly;
    // The kernel refuses as long as anybody may write, ourselves included.
    const result = write ? this.mapping.seal(bits) : binding().addSeals(this.#owned.fd, bits);
    if (result >= 0) {
      if (write) this.becomeReadOnly();
      return;
    }
    throw errorOf(result, 'fcntl', { ...this.details('fcntl'), hint: SEAL_HINTS[result] });
  }

  /** What is forbidden; nothing where there are no seals, as of a file. */
  get seals(): Seal[] {
    this.check('fcntl');
    const bits = binding().getSeals(this.#owned.fd);
    return bits === EINVAL ? [] : sealsOf(check(bits, 'fcntl', this.details('fcntl')));
  }

  /** @internal */
  protected override details(syscall: string): IpcErrorDetails {
    return { syscall, target: this.#target };
  }

  #setSize(now: number, size: number): void {
    const details = this.details('ftruncate');
    if (this.readOnly) {
      throw new IpcError('EACCES', { ...details, hint: 'the handle was opened with readOnly' });
    }
    const { fd } = this.#owned;
    const native = binding();
    const result = size < now ? native.truncate(fd, size) : native.reserve(fd, now, size);
    const hint = result === EPERM ? `it is sealed: ${this.seals.join(', ')}` : undefined;
    check(result, size < now ? 'ftruncate' : 'fallocate', {
      ...details,
      hint: hint ?? (size > now ? NO_ROOM : undefined),
    });
  }
}

function requiredSeals(seals: unknown): number {
  if (seals === undefined) return 0;
  if (!Array.isArray(seals)) throw typeError('options.requireSeals', 'an array of seals', seals);
  return sealBits(seals as Seal[], 'options.requireSeals');
}

const SEAL_HINTS: Readonly<Record<number, string>> = {
  [EPERM]: 'it is sealed against sealing, or was made with { sealable: false }',
  [EBUSY]: "somebody has it mapped for writing: close that first, or seal 'future-write'",
  [EINVAL]: 'only memfds can be sealed',
};
