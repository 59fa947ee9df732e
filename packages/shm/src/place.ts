import { closeSync, openSync } from 'node:fs';

import { check, IpcError, rangeError, typeError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { fileStatus } from './file-status.js';
import { Memory } from './memory.js';
import { DATA, putHeader } from './shared-header.js';
import { SharedMemory } from './shared-memory.js';

/** Memory in which something is, or is to be. */
export interface Place {
  readonly memory: SharedMemory;
  readonly target: string | number;
}

/** How a name is created. */
export interface PlaceOptions {
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
}

/** What is to be new somewhere. */
export interface NewThing {
  /** The bytes that it takes. */
  readonly size: number;
  /** Which option decides how many bytes those are. */
  readonly option: string;
  readonly header: Uint8Array;
}

/** What helps with a name, where it is not the memory that is asked for. */
const HINTS = {
  ENOENT: 'there is none of this name: `create` makes one',
  EEXIST: 'there is one of this name: `attach` to it, or `unlink` it first',
  EACCES: 'this user may not both read and write it: its creator can give it another `mode`',
};

/**
 * Makes something new: under a name, which it has only when it is complete, or in the empty memory that is given.
 *
 * @param where - a name, or memory
 * @param options - for a name
 * @throws {IpcError} EEXIST when there is something of that name, or the memory holds something
 * @throws {RangeError} ERR_OUT_OF_RANGE when it does not fit into the memory
 */
export function newPlace(
  where: unknown,
  { size, option, header }: NewThing,
  options: PlaceOptions,
): Place {
  if (typeof where === 'string') {
    const { mode, temporary } = options;
    const opened = { create: true, exclusive: true, size, mode, temporary };
    return {
      memory: SharedMemory.with(where, opened, { content: header, hints: HINTS }),
      target: where,
    };
  }
  const place = ownMapping(where);
  try {
    const { byteLength } = place.memory;
    if (byteLength < size) {
      throw rangeError(option, `so small that ${size} bytes are not needed`, byteLength);
    }
    if (place.memory.bytes.subarray(0, DATA).some((byte) => byte !== 0)) {
      throw new IpcError('EEXIST', {
        syscall: 'mmap',
        target: place.target,
        hint: 'the memory is not empty: attach to what is in it, or fill it with zeroes',
      });
    }
    putHeader(place.memory, header);
    return place;
  } catch (error) {
    place.memory.close();
    throw error;
  }
}

/** Memory in which there is something, by its name, or by a mapping of its own. */
export function placeOf(where: unknown): Place {
  if (typeof where !== 'string') return ownMapping(where);
  return { memory: SharedMemory.with(where, undefined, { hints: HINTS }), target: where };
}

/** Makes a handle of what is there; if that fails, the memory is closed. */
export function handleIn<T>(place: Place, make: (place: Place) => T): T {
  try {
    return make(place);
  } catch (error) {
    place.memory.close();
    throw error;
  }
}

/** A mapping of its own: what becomes of the caller's handle, its size and its closing, is none of ours. */
function ownMapping(where: unknown): Place {
  if (!(where instanceof Memory)) throw typeError('where', 'a name or a SharedMemory', where);
  if (!(where instanceof SharedMemory)) {
    throw typeError('where', 'memory with a descriptor: System V memory has none', where);
  }
  const target = where.fd;
  const fd = descriptorOf(target);
  let memory: SharedMemory;
  try {
    memory = SharedMemory.fromFd(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  if (!memory.readOnly) return { memory, target };
  memory.close();
  const hint = 'it is sealed against writing: who only reads has to write here, too';
  throw new IpcError('EPERM', { syscall: 'mmap', target, hint });
}

/** Of the same object, for writing: not by its path where that can be helped, which may let another user in only. */
function descriptorOf(fd: number): number {
  const details = { target: fd };
  return fileStatus(fd, details).writable
    ? check(binding().duplicate(fd), 'fcntl', details)
    : reopen(fd);
}

function reopen(fd: number): number {
  try {
    return openSync(`/proc/self/fd/${fd}`, 'r+');
  } catch (error) {
    const { code = 'EIO' } = error as { code?: string };
    const hint = code === 'EACCES' ? 'it needs memory that this user may write to' : undefined;
    throw new IpcError(code, { syscall: 'open', target: fd, hint, cause: error });
  }
}
