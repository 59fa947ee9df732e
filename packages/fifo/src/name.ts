import { lstatSync, readlinkSync, unlinkSync, type Stats } from 'node:fs';

import {
  check,
  codeOfErrno,
  cString,
  descriptor,
  errorOf,
  integer,
  isIpcError,
  optionsObject,
  valueError,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { refusal } from './refusal.js';

/** How a FIFO is made. */
export interface MkfifoOptions {
  /**
   * Its permissions, exactly: the umask does not change them.
   *
   * @default 0o600
   */
  readonly mode?: number | undefined;
}

const DEFAULT_MODE = 0o600;

/** Permissions; the further bits mean nothing on a FIFO. */
const HIGHEST_MODE = 0o777;

/** Checks `options.mode`. */
export function modeOf({ mode = DEFAULT_MODE }: MkfifoOptions): number {
  return integer(mode, 'options.mode', 0, HIGHEST_MODE);
}

/**
 * Makes a FIFO: a name in the file system by which processes meet.
 *
 * @param path - where; nothing may be there, not even a symbolic link that leads nowhere
 * @param options - its permissions
 * @throws {IpcError} EEXIST when something has that name
 * @throws {IpcError} ENOENT when the directory does not exist, ENOTDIR when it is none
 * @throws {IpcError} EACCES when you may not write in it, EROFS when nobody may
 * @throws {IpcError} ENAMETOOLONG when the name or the path is over the limits of the system
 * @example
 * ```js
 * import { mkdtempSync, statSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { mkfifo, unlink } from '@octoipc/fifo';
 *
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/jobs`;
 * mkfifo(path, { mode: 0o622 });
 * statSync(path).isFIFO(); //=> true
 * unlink(path);
 * ```
 * @see mkfifo(3), fifo(7)
 */
export function mkfifo(path: string, options?: MkfifoOptions): void {
  cString(path, 'path');
  const mode = modeOf(optionsObject(options));
  const result = binding().mkfifo(path, mode);
  check(result, 'mkfifo', { target: path, hint: hintOf(result) });
}

/** Makes it if nothing has that name. */
export function mkfifoIfMissing(path: string, mode: number): void {
  const result = binding().mkfifo(path, mode);
  if (codeOfErrno(result) !== 'EEXIST') {
    check(result, 'mkfifo', { target: path, hint: hintOf(result) });
  }
}

function hintOf(result: number): string | undefined {
  switch (codeOfErrno(result)) {
    case 'ENOENT':
      return 'the directory is not there: make it first (fs.mkdirSync)';
    case 'EEXIST':
      return 'open what is there (with create, leave out exclusive), or remove it first: unlink(path)';
    case 'EMFILE':
      return TOO_MANY;
    default:
      return undefined;
  }
}

/**
 * Whether a path is that of a FIFO, and not of a symbolic link to one.
 *
 * @param path - the path
 * @returns true if it is; false if it is something else, or nothing is there
 * @throws {IpcError} EACCES when you may not look
 * @see lstat(2)
 */
export function isFifo(path: string): boolean {
  cString(path, 'path');
  try {
    return status(path)?.isFIFO() ?? false;
  } catch (error) {
    if (isIpcError(error, 'ENOTDIR')) return false;
    throw error;
  }
}

/**
 * Removes the name of a FIFO. Those who have it open go on; whoever comes later finds nothing.
 *
 * @param path - the path
 * @throws {IpcError} ENOENT when nothing is there
 * @throws {IpcError} EINVAL when it is something else than a FIFO, ELOOP when it is a symbolic link
 * @throws {IpcError} EACCES or EPERM when you may not remove it
 * @see unlink(2)
 */
export function unlink(path: string): void {
  cString(path, 'path');
  const found = status(path);
  if (found !== undefined && !found.isFIFO()) throw refusal(found.mode, 'unlink', path);
  wrapped('unlink', path, () => unlinkSync(path));
}

/**
 * The path by which a descriptor of a FIFO was opened.
 *
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is of a pipe without a name
 */
export function pathOf(fd: number): string {
  descriptor(fd);
  let path: string;
  try {
    path = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // Not open, which fstat(2) tells better.
    return '';
  }
  if (path.startsWith('pipe:')) {
    throw valueError('fd', 'must be a FIFO, but is a pipe without a name', fd);
  }
  return path.replace(/ \(deleted\)$/, '');
}

function status(path: string): Stats | undefined {
  return wrapped('lstat', path, () => lstatSync(path, { throwIfNoEntry: false }));
}

/** A call of `node:fs`, its error as an IpcError. */
function wrapped<T>(syscall: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw errno === undefined ? error : errorOf(errno, syscall, { target: path });
  }
}

/** The remedy where descriptors run out. */
export const TOO_MANY = 'close what is not needed, or raise the limit: ulimit -n (RLIMIT_NOFILE)';
