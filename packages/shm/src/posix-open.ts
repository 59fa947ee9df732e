import { lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';

import {
  check,
  codeOfErrno,
  cString,
  errorOf,
  IpcError,
  type ObjectIdentity,
  type Reaper,
  registerReaper,
  Temporary,
  valueError,
} from '@octoipc/core/kit';

import { binding, type ShmBinding } from './binding.js';
import { EEXIST, ELOOP, ENOENT, EOPNOTSUPP } from './errno.js';
import { fileStatus, statusOfFile, type FileStatus } from './file-status.js';
import { FOLDER, memoryName } from './name.js';
import type { CheckedOptions } from './object-options.js';

/** An object with a descriptor, and what makes its name go again. */
export interface OpenedObject {
  readonly fd: number;
  readonly status: FileStatus;
  /** How errors name it: a name, a path, or a number. */
  readonly target: string | number;
  readonly temporary: Temporary | undefined;
}

/** The mount namespace, in which /dev/shm is. */
function mountNamespace(): string {
  return readlinkSync('/proc/self/ns/mnt');
}

const KIND = 'posix-shm';
const ATTEMPTS = 100;

/** How long somebody else may take to give new memory its size, in milliseconds, and how often it is looked. */
const PATIENCE = 500;
const GLANCE = 1;

const clock = new Int32Array(new SharedArrayBuffer(4));

/** Where something is opened. */
interface Place {
  readonly path: string;
  readonly target: string;
  readonly syscall: string;
  readonly kind: string | undefined;
  /** What a new object holds from its first moment on, at its beginning; zeroes behind that. */
  readonly content: Uint8Array;
  readonly hints: Hints;
}

/** What helps, by the code of the error. */
type Hints = Readonly<Record<string, string>>;

/** What POSIX memory is opened for. */
export interface Purpose {
  /** What it holds if it is new. */
  readonly content?: Uint8Array;
  /** What helps instead of what helps with memory. */
  readonly hints?: Hints;
}

const NOTHING = new Uint8Array(0);

/** shm_open(3). */
export function openPosix(
  value: string,
  options: CheckedOptions,
  { content = NOTHING, hints = {} }: Purpose,
): OpenedObject {
  const name = memoryName(value, 'shm_open');
  const path = FOLDER + name;
  return open({ path, target: name, syscall: 'shm_open', kind: KIND, content, hints }, options);
}

/** open(2) of a file to map. */
export function openFile(value: string, options: CheckedOptions): OpenedObject {
  const path = cString(value, 'path');
  const place = { path, target: path, syscall: 'open', kind: undefined };
  return open({ ...place, content: NOTHING, hints: {} }, options);
}

/** shm_unlink(3). */
export function unlinkPosix(value: string): void {
  const name = memoryName(value, 'shm_unlink');
  check(binding().unlink(FOLDER + name), 'shm_unlink', { target: name });
}

function open(place: Place, options: CheckedOptions): OpenedObject {
  const { path, target } = place;
  const { create, exclusive, temporary, readOnly } = options;
  const native = binding();
  for (let attempt = 1; ; attempt++) {
    if (!(create && exclusive)) {
      const fd = native.openObject(path, !readOnly);
      if (fd >= 0) return existing(native, fd, place, options);
      if (!create || fd !== ENOENT) throw openError(fd, place);
    }
    const claim =
      temporary && place.kind !== undefined ? new Temporary(place.kind, target, reaper) : undefined;
    const made = make(native, place, options, claim);
    if (typeof made !== 'number') return made;
    const last = exclusive || made !== EEXIST || attempt === ATTEMPTS;
    // Before the record is let go, whose descriptor may be the one that lacked.
    const error = last ? openError(made, place) : undefined;
    claim?.end();
    if (error !== undefined) throw error;
  }
}

/**
 * Makes an object, records which one it is, and then gives it its name: killed anywhere, this process leaves
 * nothing, or what is complete and known to `reap`. Where no object can be without a name, it is recorded a
 * moment after it has one.
 *
 * @returns it, or the -errno of what cannot be made
 */
function make(
  native: ShmBinding,
  place: Place,
  options: CheckedOptions,
  claim: Temporary | undefined,
  namelessly = true,
): OpenedObject | number {
  const { path, target, syscall, content } = place;
  const { size = 0, mode, readOnly } = options;
  let fd = namelessly
    ? native.createNameless(dirname(path), path, size, mode, content)
    : native.createNamed(path, size, mode, content);
  if (fd === EOPNOTSUPP && namelessly) return make(native, place, options, claim, false);
  if (fd < 0) return fd;
  let named = !namelessly;
  try {
    const status = statusOfFile(fd, 'name', { target });
    claim?.created({ ...status.identity, namespace: mountNamespace() });
    const result = named ? 0 : native.giveName(fd, path);
    if (result < 0) {
      native.close(fd);
      return result === EOPNOTSUPP ? make(native, place, options, claim, false) : result;
    }
    named = true;
    if (!readOnly) return { fd, status, target, temporary: claim };
    // Made by writing, used by reading: a descriptor that cannot write.
    const reader = native.openObject(path, false);
    check(reader, syscall, { target });
    native.close(fd);
    fd = reader;
    return { fd, status: statusOfFile(fd, 'name', { target }), target, temporary: claim };
  } catch (error) {
    // The record cannot be completed: then there is no object either.
    native.close(fd);
    if (named) native.unlink(path);
    claim?.end();
    throw error;
  }
}

function existing(
  native: ShmBinding,
  fd: number,
  place: Place,
  { create, size }: CheckedOptions,
): OpenedObject {
  const { target, syscall } = place;
  const details = { target, syscall };
  try {
    let status = lookAt(fd, place);
    // Whoever makes it in the old way gives it its size in a second step.
    const until = performance.now() + (place.kind === undefined ? 0 : PATIENCE);
    while (status.size === 0 && performance.now() < until) {
      Atomics.wait(clock, 0, 0, GLANCE);
      status = lookAt(fd, place);
    }
    if (status.size === 0 && create && size !== undefined && status.writable) {
      check(native.reserve(fd, 0, size), 'fallocate', { target, hint: HINTS['ENOSPC'] });
      status = lookAt(fd, place);
    }
    if (status.size === 0) {
      const hint = 'it is empty: its creator has not given it a size, or it was cut off';
      throw new IpcError('EINVAL', { ...details, syscall: 'mmap', hint });
    }
    if (size !== undefined && status.size < size) {
      const hint = `it has ${status.size} bytes, fewer than options.size: open it without, and resize() it`;
      throw new IpcError('EINVAL', { ...details, hint });
    }
    return { fd, status, target, temporary: undefined };
  } catch (error) {
    native.close(fd);
    throw error;
  }
}

/** What was opened: a path leads to a file because its caller says so; what has a name may be anybody's. */
function lookAt(fd: number, { kind, target, syscall }: Place): FileStatus {
  if (kind === undefined) return statusOfFile(fd, 'path', { target });
  const status = fileStatus(fd, { target, syscall });
  if (status.isFile) return status;
  const hint = 'what has this name is no memory: remove it, or take another name';
  throw new IpcError('EINVAL', { target, syscall, hint });
}

function openError(result: number, { target, syscall, hints }: Place): IpcError {
  if (result === ELOOP) {
    return errorOf(result, syscall, {
      target,
      hint: 'it is a symbolic link, which is not followed',
    });
  }
  const code = codeOfErrno(result);
  return errorOf(result, syscall, { target, hint: hints[code] ?? HINTS[code] });
}

const HINTS: Hints = {
  ENOENT: 'there is no such memory: pass { create: true, size } to make it',
  EEXIST: 'it exists: leave out `exclusive` to open it, or unlink it first',
  EACCES: 'its mode does not let this user in: { readOnly: true } may be allowed',
  ENOSPC:
    'the file system has no room for so many bytes (df /dev/shm): make it larger, or ask for fewer',
  EMFILE: 'this process has too many descriptors: raise `ulimit -n`, or close some',
};

/** Told to whoever cannot get the bytes. */
export const NO_ROOM: string | undefined = HINTS['ENOSPC'];

/** How temporary memory is found and removed, by `close` and by `reap`. */
const reaper: Reaper = {
  identify(name): ObjectIdentity | null {
    // Not opened: its mode may keep its own owner out.
    const status = lstatSync(pathOf(name), { throwIfNoEntry: false });
    if (status === undefined) return null;
    return { dev: status.dev, ino: status.ino, namespace: mountNamespace() };
  },
  remove: (name) => unlinkPosix(name),
  remover: (name) => ({ call: 'unlink', target: pathOf(name) }),
};

function pathOf(name: string): string {
  return FOLDER + memoryName(name, 'shm_open');
}

registerReaper(KIND, reaper);

/** What can be mapped, of a descriptor that came from outside; it is not taken over yet. */
export function statusToAdopt(fd: number): FileStatus {
  const status = statusOfFile(fd, 'fd', { target: fd });
  if (!status.readable) {
    throw new IpcError('EACCES', {
      syscall: 'mmap',
      target: fd,
      hint: 'the descriptor is open for writing only: memory can only be mapped where it can be read',
    });
  }
  if (status.size === 0) throw valueError('fd', 'must be of something that is not empty', fd);
  return status;
}
