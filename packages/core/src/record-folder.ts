import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';

import { codeOfErrno } from './errno.js';
import { errorOf, IpcError, isIpcError } from './errors.js';

/**
 * Where this user's name records are: in memory, so a reboot, which ends what they tell of, ends them
 * too, and no cleaner of temporary files comes by.
 */
export function recordFolder(): string {
  return `${MEMORY}octoipc-${process.geteuid?.() ?? 0}`;
}

/** Where records are, of all users. */
const MEMORY = '/dev/shm/';

/** What helps where a record cannot be made, by the code of the error. */
export const RECORD_HINTS: Readonly<Record<string, string>> = {
  ENOSPC:
    '/dev/shm, where records of temporary names are, is full: remove something there, or make it larger (df /dev/shm, mount -o remount,size=…)',
  EROFS:
    '/dev/shm, where records of temporary names are, is read-only: remount it, or make the object without temporary',
  ENOENT: 'records of temporary names are in /dev/shm: mount a tmpfs there',
  EACCES:
    'records of temporary names are in /dev/shm, where this user may not write: chmod 1777 it',
};

/**
 * The result of a call of node:fs, whose error becomes ours.
 *
 * @param target - what it is called on
 * @param call - calls it
 * @throws {IpcError} the errno of the call
 */
export function fileCall<Result>(target: string, call: () => Result): Result {
  try {
    return call();
  } catch (cause) {
    const { errno, syscall } = cause as NodeJS.ErrnoException;
    if (errno === undefined || syscall === undefined) throw cause;
    const hint = target.startsWith(MEMORY) ? RECORD_HINTS[codeOfErrno(errno)] : undefined;
    throw errorOf(errno, syscall, { target, cause, hint });
  }
}

/**
 * Makes the folder if it is missing, and sees to it that it is ours alone.
 *
 * @throws {IpcError} EPERM when somebody else made it, or may write to it
 */
export function openRecordFolder(): string {
  const folder = recordFolder();
  fileCall(folder, () => makeFolder(folder));
  return checkedFolder(folder);
}

/**
 * The folder, if there is one. In one that others may write to anything could be told of our names: nothing in it is
 * believed.
 *
 * @throws {IpcError} EPERM when somebody else made it, or may write to it
 */
export function existingRecordFolder(): string | undefined {
  const folder = recordFolder();
  try {
    return checkedFolder(folder);
  } catch (error) {
    if (isIpcError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function checkedFolder(folder: string): string {
  const status = fileCall(folder, () => lstatSync(folder));
  if (!status.isDirectory() || status.uid !== process.geteuid?.() || (status.mode & 0o077) !== 0) {
    throw new IpcError('EPERM', {
      text: 'the folder of name records is not this user’s alone',
      syscall: 'open',
      target: folder,
      hint: 'somebody else made it, or opened it to others: remove it, or chmod 700 it',
    });
  }
  return folder;
}

/** Not `recursive`: with that Node says ENOENT where the file system is read-only. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Removes the folder if nothing is in it. */
export function tidyRecordFolder(): void {
  try {
    rmdirSync(recordFolder());
  } catch {
    // Others have records there, or it is gone already.
  }
}
