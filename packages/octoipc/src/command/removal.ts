import { lstatSync, unlinkSync, type Stats } from 'node:fs';

import { IpcError } from '@octoipc/core';

import {
  encodeName,
  hexadecimal,
  matches,
  parseAddress,
  type Address,
} from '../objects/address.js';
import type { Inventory } from '../objects/inventory.js';
import { looseFile } from '../objects/loose-file.js';
import type { Entry } from '../objects/object.js';
import { mq, sem, shm } from '../index.js';

/** What there was a moment before; by its URL, which is how most are named. */
interface Found extends Inventory {
  readonly byUrl: ReadonlyMap<string, Entry>;
}

/** What became of an object that was to be removed. */
export interface Removal {
  readonly url: string;
  readonly removed: boolean;
  /** Why it was not, or who has it still. */
  readonly reason: string;
}

/**
 * Removes the object that a URL names.
 *
 * @param url - as `octoipc ls` prints it
 * @param found - what there was a moment before
 * @param force - a Unix socket whose server lives, too
 * @returns what was removed
 * @throws {IpcError} what the system says
 * @throws {AddressError} when the URL can name nothing
 */
export function removeObject(url: string, found: Found, force: boolean): Removal {
  const address = parseAddress(url);
  const { entries, around, byUrl } = found;
  const entry =
    byUrl.get(url) ?? entries.find((each) => matches(address, each)) ?? looseFile(address, around);
  if (entry === undefined) {
    // What cannot be listed may be there all the same: the system is asked, and says what is wrong.
    removeBlindly(url, address);
    return { url: encodeName(url), removed: true, reason: 'removed' };
  }
  removeEntry(entry, force);
  const { length } = entry.holders;
  const kept = length === 0 || entry.kind.startsWith('sysv-') ? '' : `; ${keeping(length)}`;
  return { url: entry.url, removed: true, reason: `removed${kept}` };
}

function keeping(holders: number): string {
  return holders === 1 ? '1 process has it still' : `${holders} processes have it still`;
}

function removeEntry(entry: Entry, force: boolean): void {
  const { kind, url, id = 0, name = '', details } = entry;
  if (kind === 'pipe' || kind === 'memfd' || 'unlinked' in details || url.startsWith('unix:[')) {
    throw new IpcError('EINVAL', {
      text: 'it has no name to remove',
      target: url,
      hint: `it goes with its last holder: ${entry.holders.join(', ') || 'unknown'}`,
    });
  }
  switch (kind) {
    case 'mq':
      mq.PosixQueue.unlink(name);
      break;
    case 'sysv-mq':
      mq.SysvQueue.remove(id);
      break;
    case 'sem':
      sem.PosixSemaphore.unlink(name);
      break;
    case 'sysv-sem':
      sem.SysvSemaphoreSet.remove(id);
      break;
    case 'sysv-shm':
      shm.SysvSharedMemory.remove(id);
      break;
    case 'shm':
    case 'ring':
    case 'broadcast':
    case 'value':
      shm.SharedMemory.unlink(name);
      break;
    case 'mutex':
      sem.Mutex.unlink(name);
      break;
    case 'rwlock':
      sem.RwLock.unlink(name);
      break;
    case 'condition':
      sem.Condition.unlink(name);
      break;
    case 'barrier':
      sem.Barrier.unlink(name);
      break;
    case 'fifo':
      unlinkFile(entry, name, (status) => status.isFIFO() && status.ino === entry.inode);
      break;
    case 'unix':
      removeSocket(entry, name, force);
      break;
  }
}

function removeSocket(entry: Entry, name: string, force: boolean): void {
  const { url, details } = entry;
  if (name.startsWith('@')) {
    throw new IpcError('EINVAL', {
      text: 'an abstract name cannot be removed',
      target: url,
      hint: 'it goes with the socket that is bound to it',
    });
  }
  // Null where it cannot be told.
  if (details['bound'] !== false && !force) {
    throw new IpcError('EBUSY', {
      text:
        details['listening'] === true
          ? 'a server listens there'
          : 'a socket is, or may be, bound to it',
      target: url,
      hint: '--force removes its path all the same, and nobody finds it then',
    });
  }
  unlinkFile(entry, name, (status) => status.isSocket());
}

/** Who has the object open tells which path it had: by now that may be of something else. */
function unlinkFile({ url }: Entry, path: string, isIt: (status: Stats) => boolean): void {
  try {
    if (isIt(lstatSync(path))) {
      unlinkSync(path);
      return;
    }
  } catch (cause) {
    const { code = 'EIO', syscall } = cause as NodeJS.ErrnoException;
    throw new IpcError(code, { syscall, target: path, cause });
  }
  throw new IpcError('EINVAL', {
    text: 'what has this path now is something else, and stays',
    target: url,
    hint: 'the object itself has no name any more, and goes with its last holder',
  });
}

function removeBlindly(url: string, { kind, name, id, key }: Address): void {
  const missing = (hint?: string): IpcError =>
    new IpcError('ENOENT', { text: 'there is no such object', target: url, hint });
  if (key !== undefined) throw missing(`no object of this kind has the key ${hexadecimal(key)}`);
  if (id !== undefined || name === undefined) throw missing();
  if (kind === 'mq') mq.PosixQueue.unlink(name);
  else if (kind === 'sem') sem.PosixSemaphore.unlink(name);
  else throw missing('octoipc ls shows what there is');
}
