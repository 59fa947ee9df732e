import { fstatSync, lstatSync, readdirSync, readSync, unlinkSync, type Stats } from 'node:fs';

import {
  codeOfErrno,
  errorOf,
  integer,
  IpcError,
  type ObjectIdentity,
  optionalBoolean,
  optionsObject,
  type Reaper,
  registerReaper,
  Temporary,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EEXIST, ENOENT } from './errno.js';

/** How an object with a POSIX name is opened. */
export interface NamedOpenOptions {
  /** Create it if it is missing. @default false */
  readonly create?: boolean | undefined;
  /** Create it, and fail with `EEXIST` if it is there already. @default false */
  readonly exclusive?: boolean | undefined;
  /** Permission bits of a new one, exact whatever the umask. @default 0o600 */
  readonly mode?: number | undefined;
  /** What this call creates goes when this handle closes, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
}

/** A kind of objects that are files in /dev/shm. */
export interface FileKind {
  /** Whose temporary names `reap` knows. */
  readonly kind: string;
  /** What errors call the call. */
  readonly syscall: string;
  readonly size: number;
  /** Where an object of this name is; the name was checked. */
  path(name: string): string;
}

/** An object's open file. */
export interface OpenedFile {
  readonly fd: number;
  /** Bytes of the file. */
  readonly size: number;
  readonly temporary: Temporary | undefined;
}

const FOLDER = '/dev/shm';
const DEFAULT_MODE = 0o600;
/** An object may come and go between two calls: so often is it tried to open or create it. */
const ATTEMPTS = 100;
/** So long is an object waited for that somebody else is making, who may have died meanwhile. */
const MAKING = 1000;

/** Opens an object's file, or creates it, complete from its first moment. */
export function openFile(
  kind: FileKind,
  name: string,
  options: NamedOpenOptions | undefined,
  content: () => Uint8Array,
): OpenedFile {
  const given = optionsObject<NamedOpenOptions>(options);
  const { mode = DEFAULT_MODE } = given;
  const exclusive = optionalBoolean(given.exclusive, 'options.exclusive') ?? false;
  const temporary = optionalBoolean(given.temporary, 'options.temporary') ?? false;
  const create = optionalBoolean(given.create, 'options.create') ?? (exclusive || temporary);
  integer(mode, 'options.mode', 0, 0o777);
  const native = binding();
  const path = kind.path(name);

  for (let attempt = 1; ; attempt++) {
    if (!(create && exclusive)) {
      const fd = native.fileOpen(path);
      if (fd >= 0) return { fd, size: whole(kind, name, fd), temporary: undefined };
      if (!create || fd !== ENOENT) throw openError(kind, fd, name);
    }
    const bytes = content();
    const claim = temporary ? new Temporary(kind.kind, name, reaperOf(kind)) : undefined;
    const fd = native.fileCreate(path, bytes, kind.size, mode);
    if (fd >= 0) {
      try {
        claim?.created(identityOf(fstatSync(fd)));
      } catch (error) {
        native.close(fd);
        removeIfThere(path);
        claim?.end();
        throw error;
      }
      return { fd, size: kind.size, temporary: claim };
    }
    claim?.end();
    if (exclusive || fd !== EEXIST || attempt === ATTEMPTS) throw openError(kind, fd, name);
  }
}

/** Removes the name. */
export function unlinkFile(kind: FileKind, name: string, syscall: string): void {
  try {
    unlinkSync(kind.path(name));
  } catch (cause) {
    // In a folder with the sticky bit another user's file is EPERM: sem_unlink(3) says EACCES.
    const { errno = 0, code } = cause as NodeJS.ErrnoException;
    if (code === 'EPERM') throw new IpcError('EACCES', { syscall, target: name, cause });
    throw errorOf(errno, syscall, { target: name, cause });
  }
}

/** A file in /dev/shm, as anybody may see it. */
export interface ListedFile {
  readonly file: string;
  readonly path: string;
  readonly status: Stats;
}

/** The files whose names begin so. */
export function listFiles(prefix: string, size: number): ListedFile[] {
  return readdirSync(FOLDER)
    .filter((file) => file.startsWith(prefix))
    .toSorted()
    .flatMap((file) => {
      const path = `${FOLDER}/${file}`;
      const status = statusOf(path);
      return status?.isFile() === true && status.size >= size ? [{ file, path, status }] : [];
    });
}

/**
 * The first bytes of a file that anybody may change meanwhile; null where this user may not look, or it is
 * none any more.
 */
export function firstBytes(path: string, size: number): Uint8Array | null {
  const native = binding();
  const fd = native.fileOpen(path);
  if (fd < 0) return null;
  try {
    const bytes = new Uint8Array(size);
    if (native.fileSize(fd) < size) return null;
    return readSync(fd, bytes, 0, size, 0) === size ? bytes : null;
  } catch {
    return null;
  } finally {
    native.close(fd);
  }
}

/** What is there, be it a link; undefined if it is gone, or cannot be looked at. */
function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** What is not what it should be, and never will. */
export function notOne(kind: FileKind, name: string, why: string): IpcError {
  return new IpcError('EINVAL', { syscall: kind.syscall, target: name, hint: why });
}

/** Whoever makes the object may still be at it: waits, for a bounded time, until it has its size, which it gives. */
function whole(kind: FileKind, name: string, fd: number): number {
  const native = binding();
  const size = native.fileSize(fd);
  return size >= kind.size ? size : wholeSoon(kind, name, fd, size);
}

function wholeSoon(kind: FileKind, name: string, fd: number, first: number): number {
  const native = binding();
  const deadline = performance.now() + MAKING;
  for (let size = first; ; size = native.fileSize(fd)) {
    if (size >= kind.size) return size;
    if (size !== 0 || performance.now() > deadline) {
      native.close(fd);
      const what = size >= 0 ? `it has ${size} bytes` : 'it is no file';
      throw notOne(kind, name, `${what}; one of these has ${kind.size}: remove it`);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

function identityOf({ dev, ino }: Stats): ObjectIdentity {
  return { dev, ino };
}

const reapers = new Map<string, Reaper>();

/** How temporary objects of a kind are found and removed, by `close` and by `reap`. */
export function reaperOf(kind: FileKind): Reaper {
  const known = reapers.get(kind.kind);
  if (known !== undefined) return known;
  const reaper: Reaper = {
    identify(name) {
      const status = lstatSync(kind.path(name), { throwIfNoEntry: false });
      return status === undefined ? null : identityOf(status);
    },
    remove: (name) => unlinkSync(kind.path(name)),
    remover: (name) => ({ call: 'unlink', target: kind.path(name) }),
  };
  reapers.set(kind.kind, reaper);
  registerReaper(kind.kind, reaper);
  return reaper;
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else has.
  }
}

function openError(kind: FileKind, result: number, name: string): IpcError {
  return errorOf(result, kind.syscall, { target: name, hint: HINTS[codeOfErrno(result)] });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is none of this name: pass { create: true } to make it',
  EEXIST: 'it exists: leave out `exclusive` to open it, or unlink it first',
  EACCES: 'its mode does not let this user read and write, both of which it takes',
  ENOSPC: 'the file system of /dev/shm is full: remove something, or mount it larger',
  ELOOP: 'a symbolic link has its name: remove that',
};
