import type { IpcError, IpcErrorDetails } from '@octoipc/core';
import { check, errorOf, integer, optionalBoolean, optionsObject } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EACCES, EIDRM, EINVAL, EPERM } from './errno.js';
import type { ListOptions } from './list.js';
import { Mapping } from './mapping.js';
import { Memory } from './memory.js';
import { checkOptions, type SharedMemoryOpenOptions } from './object-options.js';
import { openSegment, removeSegment, type OpenedSegment, type SysvKey } from './sysv-open.js';
import {
  listSysv,
  readStatus,
  type SysvSharedMemoryInfo,
  type SysvSharedMemoryStatus,
} from './sysv-status.js';

/** What `setStat` changes. */
export interface SysvSharedMemoryChanges {
  /** Permission bits. */
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

const MOST = 0xffff_fffe;

/** A segment may come and go between two calls: so often is it tried to open or create it. */
const ATTEMPTS = 100;

/**
 * Shared memory of System V, which the system knows by a key and an id. It cannot be resized.
 *
 * @example
 * ```js
 * import { SysvSharedMemory } from '@octoipc/shm';
 *
 * const memory = SysvSharedMemory.open('private', { temporary: true, size: 100 });
 * memory.byteLength; //=> 100
 * memory.attachments; //=> 1
 * memory.close();
 * ```
 * @see svipc(7), shmget(2), shmop(2), shmctl(2)
 */
export class SysvSharedMemory extends Memory {
  /** The key, unsigned; 0 for a private segment, unless it is temporary. */
  readonly key: number;
  readonly #id: number;
  readonly #target: string;

  private constructor({ id, key, target, temporary }: OpenedSegment, readOnly: boolean) {
    let mapping: Mapping;
    try {
      const status = readStatus(binding(), id);
      if (typeof status === 'number') throw sysvError(status, 'shmctl', target);
      mapping = Mapping.ofSegment(id, status.size, {
        writable: !readOnly,
        details: { target },
      });
    } catch (error) {
      temporary?.end();
      throw error;
    }
    super(mapping, { forget: () => {}, letGo: () => {}, temporary }, readOnly);
    this.key = key;
    this.#id = id;
    this.#target = target;
  }

  /**
   * Attaches a segment, or creates it.
   *
   * @param key - a number, what ftok(3) makes of `{ path, project }`, or `'private'` for a new one
   * @param options - how, as for POSIX shared memory
   * @returns a handle of it, attached whole
   * @throws {IpcError} ENOENT when there is none and `create` is false; EEXIST when there is one and
   *   `exclusive` is true
   * @throws {IpcError} EINVAL when what exists is smaller than `size`, or `size` is over kernel.shmmax
   * @throws {IpcError} EACCES when its mode does not let this user in
   * @see shmget(2), shmat(2)
   */
  static open(key: SysvKey, options?: SharedMemoryOpenOptions): SysvSharedMemory {
    const checked = checkOptions(options);
    for (let attempt = 1; ; attempt++) {
      const opened = openSegment(key, checked);
      try {
        return new SysvSharedMemory(opened, checked.readOnly);
      } catch (error) {
        // Somebody has removed it since it was found: then what has its key now is looked for, or made.
        const status = readStatus(binding(), opened.id);
        const gone = status === EINVAL || status === EIDRM;
        if (!gone || opened.temporary !== undefined || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Attaches a segment by its id, as ipcs(1) shows it; one that was removed too, while somebody has it.
   *
   * @throws {IpcError} EIDRM when there is none
   */
  static fromId(
    id: number,
    options?: { readonly readOnly?: boolean | undefined },
  ): SysvSharedMemory {
    integer(id, 'id', 0, 0x7fff_ffff);
    const { readOnly } = optionsObject(options);
    const reading = optionalBoolean(readOnly, 'options.readOnly') ?? false;
    const target = `id=${id}`;
    const status = readStatus(binding(), id);
    if (typeof status === 'number') throw sysvError(status, 'shmctl', target);
    return new SysvSharedMemory({ id, key: status.key, target, temporary: undefined }, reading);
  }

  /**
   * Removes a segment by its id: its key is free at once, its memory goes with the last who has it attached.
   *
   * @throws {IpcError} EINVAL when there is none; EPERM when it is another user's
   * @see shmctl(2), IPC_RMID
   */
  static remove(id: number): void {
    removeSegment(id);
  }

  /**
   * The segments of this system, with who has them attached.
   *
   * @param options - `holders: false` leaves `mappedBy` empty
   */
  static list(options?: ListOptions): SysvSharedMemoryInfo[] {
    return listSysv(options);
  }

  /** The kernel's number of the segment. */
  get id(): number {
    this.check('shmget');
    return this.#id;
  }

  /** How many have it attached, this handle included; a process may have it several times. */
  get attachments(): number {
    return this.stat().attachments;
  }

  /**
   * What the segment is, and who used it last.
   *
   * @throws {IpcError} EACCES when its mode does not let this user read
   */
  stat(): SysvSharedMemoryStatus {
    this.check('shmctl');
    const status = readStatus(binding(), this.#id);
    if (typeof status === 'number') throw sysvError(status, 'shmctl', this.#target);
    return status;
  }

  /**
   * Changes mode or owner.
   *
   * @throws {IpcError} EPERM when it is another user's
   */
  setStat(changes: SysvSharedMemoryChanges): void {
    const { mode, uid, gid } = optionsObject<SysvSharedMemoryChanges>(changes, 'changes');
    const values = [
      mode === undefined ? -1 : integer(mode, 'changes.mode', 0, 0o777),
      uid === undefined ? -1 : integer(uid, 'changes.uid', 0, MOST),
      gid === undefined ? -1 : integer(gid, 'changes.gid', 0, MOST),
    ] as const;
    this.check('shmctl');
    const result = binding().sysvSet(this.#id, ...values);
    if (result < 0) throw sysvError(result, 'shmctl', this.#target);
  }

  /**
   * Removes the segment: its key is free at once, its memory goes with the last who has it attached. This
   * handle goes on with it.
   *
   * @throws {IpcError} EPERM when it is another user's
   */
  remove(): void {
    this.check('shmctl');
    const result = binding().sysvRemove(this.#id);
    if (result < 0) throw sysvError(result, 'shmctl', this.#target);
  }

  /** shmctl(SHM_LOCK): for everybody who has it, until it is unlocked. @internal */
  protected override setLocked(lock: boolean): void {
    check(binding().sysvLock(this.#id, lock), 'shmctl', this.details('shmctl'));
  }

  /** @internal */
  protected override details(syscall: string): IpcErrorDetails {
    return { syscall, target: this.#target };
  }
}

/** The error of a call that failed; an id that is not known any more is a segment that was removed. */
function sysvError(result: number, syscall: string, target: string): IpcError {
  if (result === EINVAL || result === EIDRM) {
    const hint = 'there is no segment of this id: somebody has removed it';
    return errorOf(EIDRM, syscall, { target, hint });
  }
  return errorOf(result, syscall, { target, hint: HINTS[result] });
}

const HINTS: Readonly<Record<number, string>> = {
  [EACCES]: 'its mode does not let this user do that: its owner may change it by setStat',
  [EPERM]: 'only the owner, the creator or root may do that',
};
