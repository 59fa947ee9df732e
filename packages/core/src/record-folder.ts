import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';

import { IpcError } from './errors.js';

/**
 * Where this user's name records are: in memory, so a reboot, which ends what they tell of, ends them
 * too, and no cleaner of temporary files comes by.
 */
export function recordFolder(): string {
  return `/dev/shm/octoipc-${process.geteuid?.() ?? 0}`;
}

/**
 * Makes the folder if it is missing, and sees to it that it is ours alone.
 *
 * @throws {IpcError} EPERM when somebody else made it, or may write to it
 */
export function openRecordFolder(): string {
  const folder = recordFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder);
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
