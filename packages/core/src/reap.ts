import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { binding } from './binding.js';
import { codeOfErrno } from './errno.js';
import { ipcNamespace } from './ipc-namespace.js';
import { recordAt, recordIn, recordsIn } from './name-records.js';
import { UNFINISHED, type NameRecord, type ObjectIdentity } from './names.js';
import { livenessOf, pidInUse } from './process-identity.js';
import { existingRecordFolder, tidyRecordFolder } from './record-folder.js';
import { optionalBoolean, optionsObject } from './validate.js';

/** What `reap` did with one temporary name, or would do. */
export interface ReapReport {
  /** `posix-mq`, `sysv-shm`, … */
  readonly kind: string;
  readonly name: string;
  /** The process that made it. */
  readonly pid: number;
  /** Whether it is gone now; in a dry run, whether it would be. */
  readonly removed: boolean;
  /** Why. */
  readonly reason: string;
}

/** A system call that removes an object. */
export type RemovingCall = 'unlink' | 'mq_unlink' | 'msgctl' | 'semctl' | 'shmctl';

/** How an object is removed where no JavaScript runs any more. */
export interface Remover {
  readonly call: RemovingCall;
  /** The path, or the name; of no use for System V, whose ids are identities. */
  readonly target: string;
}

/** A process that was about to create something when it died. */
export interface Creator {
  readonly pid: number;
  /** Its next step was to create it, so between these it did, if ever. */
  readonly from: Date;
  readonly to: Date;
}

/** How a package finds and removes the objects of one kind. */
export interface Reaper {
  /** Whether its names mean something in the IPC namespace alone that they were made in. @default false */
  readonly isOfNamespace?: boolean;
  /** What tells the object that has this name now; null if there is none. */
  identify(name: string): ObjectIdentity | null;
  /** Removes it. */
  remove(name: string): void;
  /** How the addon removes it when a worker is terminated. @default it stays, and its record for `reap` */
  remover?(name: string): Remover;
  /**
   * Whether the object that has this name now is the one which a process made that died before it could record
   * which one it is; only where that is certain, and nobody has used it. @default it is not known
   */
  isOf?(name: string, creator: Creator): boolean;
}

/** Between a record and the creation of what it tells of there is no wait: this is much, in milliseconds. */
const AT_ONCE = 2_000;

/** One for all copies of this package in the process, ESM and CJS. */
const REAPERS = Symbol.for('octoipc.reapers');

function reapers(): Map<string, Reaper> {
  const global = globalThis as { [REAPERS]?: Map<string, Reaper> };
  global[REAPERS] ??= new Map();
  return global[REAPERS];
}

/** A package tells how its kind of names is reaped. */
export function registerReaper(kind: string, reaper: Reaper): void {
  reapers().set(kind, reaper);
}

/**
 * Removes the temporary names of dead owners, and only those: a name goes if its record's lock is free,
 * the process in the record is dead (pid, start time, boot and pid namespace are compared) and the object
 * is still the one that the record tells of. The lock is held through the removal; a dry run takes none.
 *
 * Looks after this user's names, of the kinds whose packages are loaded.
 *
 * @param options - `dryRun`: only report
 * @returns what was done with each temporary name, and why
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when dryRun is no boolean
 * @throws {IpcError} EPERM when the folder of records is not this user's alone
 * @throws {IpcError} EMFILE when no descriptor is left to look with
 * @example
 * ```js
 * import { reap } from '@octoipc/core';
 *
 * for (const { kind, name, removed, reason } of reap({ dryRun: true })) {
 *   console.log(kind, name, removed ? 'would go' : 'stays', reason);
 * }
 * ```
 */
export function reap(options?: { readonly dryRun?: boolean }): ReapReport[] {
  const { dryRun = false } = optionsObject(options);
  optionalBoolean(dryRun, 'options.dryRun');
  const folder = existingRecordFolder();
  if (folder === undefined) return [];
  const reports = recordsIn(folder).flatMap((file) => reapRecord(join(folder, file), dryRun));
  tidyRecordFolder();
  return reports;
}

/**
 * Removes one temporary name as `reap` would, if its owner is dead.
 *
 * @returns whether it was removed
 */
export function reapName(kind: string, name: string): boolean {
  const folder = existingRecordFolder();
  if (folder === undefined) return false;
  return recordsIn(folder)
    .filter((file) => file.startsWith(`${kind}.`))
    .flatMap((file) => reapRecord(join(folder, file), false, name))
    .some(({ removed }) => removed);
}

function reapRecord(path: string, dryRun: boolean, only?: string): ReapReport[] {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return NOT_OURS.has(code) ? [] : [failed(path, error)];
  }
  try {
    if (only !== undefined && recordIn(fd)?.name !== only) return [];
    // Who only looks keeps nobody else from reaping.
    const locked = dryRun ? binding().testLock(fd) : binding().tryLock(fd);
    // Only now nobody writes it; and its owner may have given it its final name, or removed it, until now.
    if (!existsSync(path)) return [];
    const record = recordIn(fd);
    if (record === undefined) return locked === 0 ? forget(path, dryRun) : [];
    const verdict =
      locked === 0
        ? judge(record, path, fd)
        : { dead: false, object: false, reason: lockReason(locked, record) };
    const report = { kind: record.kind, name: record.name, pid: record.owner.pid };
    if (!verdict.dead) return [{ ...report, removed: false, reason: verdict.reason }];
    if (!dryRun) {
      if (verdict.object) reapers().get(record.kind)?.remove(record.name);
      unlinkSync(path);
    }
    return [{ ...report, removed: verdict.object, reason: verdict.reason }];
  } catch (error) {
    return [failed(path, error)];
  } finally {
    closeSync(fd);
  }
}

/** Of a record that is gone since it was listed, or is nothing of this user's. */
const NOT_OURS: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'ELOOP', 'EISDIR', 'ENXIO']);

function failed(path: string, error: unknown): ReapReport {
  const { message: reason } = error as Error;
  return { kind: 'record', name: path, pid: 0, removed: false, reason };
}

/**
 * A record that says nothing, with its lock free: it goes once whoever made the file is dead, as the
 * file's name tells, `kind.PID.unique`. Its lock alone does not tell: the owner takes that a moment after
 * it made the file. One that was never finished, `….new`, tells of no object; one that was, and lost its
 * content since, may have told of one, so it is reported.
 */
function forget(path: string, dryRun: boolean): ReapReport[] {
  const unfinished = path.endsWith(UNFINISHED);
  const file = basename(unfinished ? path.slice(0, -UNFINISHED.length) : path);
  const [, kind, digits] = /^(.+)\.(\d+)\.[^.]+$/.exec(file) ?? [];
  if (kind === undefined || pidInUse(Number(digits))) return [];
  if (!dryRun) unlinkSync(path);
  if (unfinished) return [];
  const reason = 'its record is torn: what it told of, if it is still there, is unknown';
  return [{ kind, name: path, pid: Number(digits), removed: false, reason }];
}

/** Why a record's lock is not to be had: its owner has it, or another who reaps. */
function lockReason(result: number, { owner }: NameRecord): string {
  if (codeOfErrno(result) !== 'EAGAIN') return `its lock: ${codeOfErrno(result)}`;
  return livenessOf(owner) === 'dead'
    ? 'its owner is dead, another process has its record locked'
    : 'its owner lives';
}

/** With the record's lock free: is the owner dead, and is the object still there? */
function judge(
  record: NameRecord,
  path: string,
  fd: number,
): { dead: boolean; object: boolean; reason: string } {
  const stays = (reason: string) => ({ dead: false, object: false, reason });
  if (statSync(path).ino !== fstatSync(fd).ino) return stays('another record took its place');
  const liveness = livenessOf(record.owner);
  if (liveness === 'unknown') return stays('whether its owner lives cannot be told from here');
  if (liveness === 'alive') return stays('its owner lives');
  const reaper = reapers().get(record.kind);
  if (reaper === undefined) return stays('no package that knows this kind is loaded');
  if (reaper.isOfNamespace === true && record.ipc !== null && record.ipc !== ipcNamespace()) {
    return stays('it belongs to another IPC namespace');
  }
  const now = reaper.identify(record.name);
  if (now === null) return { dead: true, object: false, reason: 'it is gone already' };
  if (record.object === null) {
    return isAlone(record, path) && reaper.isOf?.(record.name, creatorIn(record, fd)) === true
      ? {
          dead: true,
          object: true,
          reason: `its owner, process ${record.owner.pid}, died while creating it`,
        }
      : stays('its owner died while creating it: which one it is, is unknown');
  }
  if (!same(record.object, now)) {
    return { dead: true, object: false, reason: 'the name belongs to another object now' };
  }
  return { dead: true, object: true, reason: `its owner, process ${record.owner.pid}, is dead` };
}

/**
 * Whether nothing else says whose the object may be: another process that was started in the dead one's place,
 * and has made it, has a record of that name as well. A claim of our own is for what we have not made yet.
 */
function isAlone({ kind, name, ipc }: NameRecord, path: string): boolean {
  if (ipc === null || ipc !== ipcNamespace()) return false;
  const folder = dirname(path);
  const others = recordsIn(folder).filter((file) => file.startsWith(`${kind}.`));
  return others.every((file) => {
    const other = join(folder, file);
    if (other === path) return true;
    const record = recordAt(other);
    const claimed = record?.owner.pid === process.pid && record.object === null;
    return record?.name !== name || claimed;
  });
}

/** The record was written right before the object was created, and never again; times of objects are in seconds. */
function creatorIn({ owner: { pid } }: NameRecord, fd: number): Creator {
  const { mtimeMs } = fstatSync(fd);
  return {
    pid,
    from: new Date(Math.floor(mtimeMs / 1000) * 1000),
    to: new Date(mtimeMs + AT_ONCE),
  };
}

function same(left: ObjectIdentity, right: ObjectIdentity): boolean {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => left[key] === right[key]);
}
