import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';

import { errorOf, IpcError } from './errors.js';

/**
 * Where this user's name records are: in memory, so a reboot, which ends what they tell of, ends them
 * too, and no cleaner of temporary files comes by.
 */
export function recordFolder(): string {
  return `/dev/shm/octoipc-${process.geteuid?.() ?? 0}`;
}

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
    throw errorOf(errno, syscall, { target, cause });
  }
}

/**
 * Makes the folder if it is missing, and sees to it that it is ours alone.
 *
 * @throws {IpcError} EPERM when somebody else made it, or may write to it
 */
export function openRecordFolder(): string {
  const folder = recordFolder();
  const status = fileCall(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return lstatSync(folder);
  });
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

/** Removes the folder if nothing is in it. */
export function tidyRecordFolder(): void {
  try {
    rmdirSync(recordFolder());
  } catch {
    // Others have records there, or it is gone already.
  }
}
