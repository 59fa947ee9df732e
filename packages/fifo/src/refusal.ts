import { constants } from 'node:fs';

import { check, IpcError } from '@octoipc/core/kit';

import type { FifoBinding } from './binding.js';

/** What a path can lead to that is no FIFO. */
const KINDS: Readonly<Record<number, string>> = {
  [constants.S_IFREG]: 'a regular file',
  [constants.S_IFDIR]: 'a directory',
  [constants.S_IFCHR]: 'a character device',
  [constants.S_IFBLK]: 'a block device',
  [constants.S_IFSOCK]: 'a socket',
};

/**
 * What is thrown where a path leads to something else than a FIFO.
 *
 * @param mode - its file type, as stat(2) has it
 * @param syscall - the call that is refused
 * @param path - the path
 * @returns ELOOP for a symbolic link, as open(2) has it with O_NOFOLLOW; else EINVAL
 */
export function refusal(mode: number, syscall: string, path: string): IpcError {
  const type = mode & constants.S_IFMT;
  if (type === constants.S_IFLNK) {
    return new IpcError('ELOOP', {
      text: 'the path is a symbolic link',
      syscall,
      target: path,
      hint: 'links are not followed, since whoever may plant one chooses what is opened: give the path that it leads to (fs.realpathSync), if you trust it',
    });
  }
  return new IpcError('EINVAL', {
    text: `not a FIFO, but ${KINDS[type] ?? 'something else'}`,
    syscall,
    target: path,
    hint: 'give the path of a FIFO, or remove what is there and make one: mkfifo(path)',
  });
}

/**
 * Refuses what was opened unless it is a FIFO, of the owner who was asked for.
 *
 * @param native - the binding
 * @param fd - what was opened
 * @param path - for errors
 * @param owner - a uid, or undefined for anybody's
 * @throws {IpcError} ELOOP for a symbolic link, EINVAL for anything else that is no FIFO
 * @throws {IpcError} EPERM when somebody else owns it
 */
export function inspect(
  native: FifoBinding,
  fd: number,
  path: string,
  owner: number | undefined,
): void {
  const type = check(native.fileType(fd), 'fstat', { target: path });
  if (type !== constants.S_IFIFO) throw refusal(type, 'open', path);
  if (owner === undefined) return;
  const uid = check(native.owner(fd), 'fstat', { target: path });
  if (uid === owner) return;
  throw new IpcError('EPERM', {
    text: 'the FIFO is of another owner',
    syscall: 'open',
    target: path,
    hint: `uid ${uid} owns it, not ${owner}: somebody else may have made it first; use a directory that only its owner can write in`,
  });
}
