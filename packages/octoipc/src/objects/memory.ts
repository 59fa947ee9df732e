import { closeSync, constants, openSync, readSync, statSync, type Stats } from 'node:fs';

import { sem, shm } from '../index.js';
import { urlOfInode, urlOfName, urlOfSysv } from './address.js';
import { isLock, LOCK_BYTES, LOCK_KINDS, lockState, nameInLock } from './lock-file.js';
import { fileKey } from './mapped-files.js';
import type { Entry, Kind } from './object.js';
import { heldBy, type OpenObject } from './process-table.js';
import { readHeader, type MemoryHeader } from './shared-header.js';
import { semaphorePath } from './semaphores.js';
import type { Surroundings } from './surroundings.js';

/** So much of a file tells what it is: the header of a ring, or a whole lock. */
const HEAD = 4096;

/**
 * The files of /dev/shm: POSIX shared memory, what this library keeps in it, and its locks.
 *
 * @param around - processes and records
 * @returns an entry for each
 */
export function sharedFiles(around: Surroundings): Entry[] {
  const semaphores = muslSemaphores();
  const seen = new Set<string>();
  const named = shm.SharedMemory.list({ holders: false }).flatMap(({ name }) => {
    if (semaphores.has(name)) return [];
    const path = `/dev/shm${name}`;
    const status = statSync(path, { throwIfNoEntry: false });
    if (status?.isFile() !== true) return [];
    const key = fileKey(status.dev, status.ino);
    seen.add(key);
    const object = around.processes.files.get(key);
    return describe(around, { name, path, status, key, object });
  });
  return [...named, ...unlinked(around, seen)];
}

/** Files that are semaphores although their names do not say so, as musl has them. */
function muslSemaphores(): Set<string> {
  const names = sem.PosixSemaphore.list().map(({ name }) => name);
  return new Set(names.filter((name) => semaphorePath(name) === `/dev/shm${name}`));
}

interface SharedFile {
  readonly name: string;
  readonly path: string;
  readonly status: Stats;
  readonly key: string;
  readonly object: OpenObject | undefined;
}

function describe(around: Surroundings, file: SharedFile): Entry {
  const { name, path, status, key, object } = file;
  const kindByName = LOCK_KINDS.find((each) => name.startsWith(`/${each}.`));
  const head = partOf(path, kindByName === undefined ? HEAD : LOCK_BYTES);
  const { mode: bits, uid, gid, size, blocks, ino: inode } = status;
  const permissions = { mode: bits & 0o777, uid, gid, ...heldBy(object), inode };
  // Of one that may not be read, the name has to do.
  const lock =
    kindByName !== undefined && (head.length === 0 || isLock(head, kindByName))
      ? kindByName
      : undefined;
  if (lock !== undefined) {
    const lockName = nameInLock(head, lock) ?? `/${name.slice(lock.length + 2)}`;
    const has = (pid: number): boolean => around.processes.hasMapped(pid, key);
    const { remarks, ...state } = lockState(head, lock, has);
    return around.judge({
      kind: lock,
      url: urlOfName(lock, lockName),
      name: lockName,
      ...permissions,
      remarks,
      details: { path, ...state },
    });
  }
  const header = readHeader(head, (at, length) => partOf(path, length, at));
  const kind: Kind = header?.kind ?? 'shm';
  return around.judge({
    kind,
    url: urlOfName('shm', name),
    name,
    ...permissions,
    size,
    remarks: header?.remarks ?? [],
    details: { path, allocated: blocks * 512, ...header?.details },
    ...countersOf(header),
  });
}

function countersOf(header: MemoryHeader | undefined): Pick<Entry, 'counters'> {
  return header === undefined ? {} : { counters: header.counters };
}

/** Bytes of a file; nothing where this user may not read it, or it is gone. */
function partOf(path: string, length: number, at = 0): Buffer {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const head = Buffer.alloc(length);
      return head.subarray(0, readSync(fd, head, 0, length, at));
    } finally {
      closeSync(fd);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

/** Memory whose name is gone, and which its holders keep. */
function unlinked(around: Surroundings, seen: ReadonlySet<string>): Entry[] {
  return [...around.processes.files].flatMap(([key, object]) => {
    const { target, status } = object;
    const gone = /^\/dev\/shm\/.* \(deleted\)$/.test(target) && !target.startsWith('/dev/shm/sem.');
    if (!gone || seen.has(key)) return [];
    const inode = Number(key.split(' ')[1]);
    return around.judge({
      kind: 'shm',
      url: urlOfInode('shm', inode),
      inode,
      ...ownersOf(object),
      ...(status === undefined ? {} : { size: status.size }),
      ...heldBy(object),
      passing: true,
      remarks: ['unlinked'],
      details: { unlinked: target.slice('/dev/shm'.length, -' (deleted)'.length) },
    });
  });
}

/** Memory without a name: memfds of processes. */
export function memfds(around: Surroundings): Entry[] {
  return [...around.processes.files].flatMap(([key, object]) => {
    const { target, status } = object;
    const name = /^\/memfd:(.*) \(deleted\)$/s.exec(target)?.[1];
    if (name === undefined) return [];
    const inode = Number(key.split(' ')[1]);
    return around.judge({
      kind: 'memfd',
      url: urlOfInode('memfd', inode),
      inode,
      ...ownersOf(object),
      ...(status === undefined ? {} : { size: status.size }),
      ...heldBy(object),
      passing: true,
      remarks: name === '' ? [] : [`'${name}'`],
      details: { memfd: name },
    });
  });
}

/** Mode and owner of what a descriptor is of. */
export function ownersOf({ status }: OpenObject): Pick<Entry, 'mode' | 'uid' | 'gid'> {
  if (status === undefined) return { mode: null, uid: null, gid: null };
  return { mode: status.mode & 0o777, uid: status.uid, gid: status.gid };
}

/** The System V segments. */
export function sysvSegments(around: Surroundings): Entry[] {
  return shm.SysvSharedMemory.list({ holders: false }).map((info) => {
    const { id, key, mode, uid, gid, size, attachments, creatorPid, lastPid, removed } = info;
    const attached = around.processes.segments.get(id) ?? [];
    const created = info.changeTime;
    // Its creator is no holder, but where he lives he may still be about to use it.
    // A pid of 0 is one of another pid namespace: whether he lives is unknown.
    const creator =
      attachments === 0 && (creatorPid === 0 || around.processes.lives(creatorPid, created));
    return around.judge({
      kind: 'sysv-shm',
      url: urlOfSysv('sysv-shm', key, id),
      id,
      key,
      mode,
      uid,
      gid,
      size,
      holders: attached,
      uses: attached.map((pid) => ({ pid })),
      wasUsed: attachments === 0 && !creator,
      passing: removed,
      remarks: [
        attachments === 1 ? '1 attachment' : `${attachments} attachments`,
        ...(removed ? ['removed'] : []),
        ...(info.locked ? ['locked'] : []),
      ],
      details: {
        attachments,
        creatorPid,
        lastPid,
        removed,
        locked: info.locked,
        attachTime: info.attachTime,
        detachTime: info.detachTime,
        changeTime: info.changeTime,
        creatorUid: info.creatorUid,
        creatorGid: info.creatorGid,
      },
      counters: { attachments },
    });
  });
}
