import { renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { binding } from './binding.js';
import { codeOfErrno } from './errno.js';
import { check, isIpcError } from './errors.js';
import { ipcNamespace } from './ipc-namespace.js';
import { ownIdentity, type ProcessIdentity } from './process-identity.js';
import { fileCall, openRecordFolder, RECORD_HINTS, tidyRecordFolder } from './record-folder.js';

/** What tells an object from a later one of the same name: its inode, or its id and time of creation. */
export type ObjectIdentity = Readonly<Record<string, string | number>>;

/** What a record says, as JSON. */
export interface NameRecord {
  readonly kind: string;
  readonly name: string;
  readonly owner: ProcessIdentity;
  /** In which a name means that object; null where it cannot be told. */
  readonly ipc: string | null;
  /** null until the object exists. */
  readonly object: ObjectIdentity | null;
}

/** The file's name ends so while its content is not complete. */
export const UNFINISHED = '.new';

/**
 * So often is a record begun anew: when its folder went in between (ENOENT), and when `reap` had the lock
 * for the moment in which it looked (EAGAIN).
 */
const ATTEMPTS = 100;

/**
 * A name that shall go with this process: a record of it, which its owner keeps locked.
 *
 * Lifetime:
 * 1. `claim` before the object is created, `identify` as soon as it exists, `release` after it was
 *    removed, `leave` if it could not be. Killed in between, the process leaves a record that `reap`
 *    understands.
 * 2. The record becomes visible only when it is complete and locked. The lock goes with the process,
 *    however it ends, and with the thread that claimed it.
 *
 * @see fcntl(2), F_OFD_SETLK
 */
export class TemporaryName {
  readonly #path: string;
  readonly #record: NameRecord;
  #fd: number;
  #over = false;

  private constructor(path: string, record: NameRecord, fd: number) {
    this.#path = path;
    this.#record = record;
    this.#fd = fd;
  }

  /**
   * Records that a name of this kind is this process's, and temporary.
   *
   * @param kind - whose reaper knows it: `posix-mq`
   * @param name - what that reaper finds it by
   * @throws {IpcError} EPERM when the folder of records is not this user's alone
   * @throws {IpcError} ENOSPC when `/dev/shm` is full, EMFILE when no descriptor is left
   */
  static claim(kind: string, name: string): TemporaryName {
    const record: NameRecord = { kind, name, owner: ownIdentity(), ipc: namespace(), object: null };
    for (let attempt = 1; ; attempt++) {
      // A name of its own for each attempt: nobody who still looks at an earlier one takes it for that.
      const file = `${kind}.${process.pid}.${uniquePart()}`;
      try {
        return TemporaryName.#create(join(openRecordFolder(), file), record);
      } catch (error) {
        const again = isIpcError(error, 'ENOENT') || isIpcError(error, 'EAGAIN');
        if (!again || attempt === ATTEMPTS) throw error;
      }
    }
  }

  static #create(path: string, record: NameRecord): TemporaryName {
    const unfinished = `${path}${UNFINISHED}`;
    const made = binding().create(unfinished);
    const hint = RECORD_HINTS[codeOfErrno(made)];
    const fd = check(made, 'open', { target: unfinished, hint });
    try {
      check(binding().tryLock(fd), 'fcntl', { target: path });
      const name = new TemporaryName(path, record, fd);
      name.#write(record);
      fileCall(unfinished, () => renameSync(unfinished, path));
      return name;
    } catch (error) {
      // The file first: as long as the lock is held, nobody judges it.
      removeIfThere(unfinished);
      binding().close(fd);
      throw error;
    }
  }

  /** The file. */
  get path(): string {
    return this.#path;
  }

  /** Says which object it is, now that it exists. */
  identify(object: ObjectIdentity): void {
    this.#write({ ...this.#record, object });
  }

  /** The object was removed: so is the record. Doing it again does nothing. */
  release(): void {
    if (this.#over) return;
    this.#over = true;
    removeIfThere(this.#path);
    this.leave();
    tidyRecordFolder();
  }

  /**
   * The object could not be removed: the record stays where `reap` finds it once this process has ended.
   * Until then that it lives keeps the record, as its lock did. `release` still removes it.
   */
  leave(): void {
    if (this.#fd < 0) return;
    binding().close(this.#fd);
    this.#fd = -1;
  }

  /** One write, padded to one length, so that a reader never finds two records mixed. */
  #write(record: NameRecord): void {
    const text = `${JSON.stringify(record).padEnd(1023)}\n`;
    fileCall(this.#path, () => writeSync(this.#fd, text, 0));
  }
}

function namespace(): string | null {
  try {
    return ipcNamespace();
  } catch {
    return null; // There is no /proc, and no System V object of an unknown maker is looked for.
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody removed it, or its whole folder: then there is nothing to do.
  }
}

let claims = 0;

/** No two claims of a process have it in common, nor two processes that had the same pid. */
function uniquePart(): string {
  claims += 1;
  return `${process.hrtime.bigint().toString(36)}${claims.toString(36)}`;
}
