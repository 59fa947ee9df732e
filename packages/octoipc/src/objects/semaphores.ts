import { statSync } from 'node:fs';

import { sem } from '../index.js';
import { urlOfName, urlOfSysv } from './address.js';
import { fileKey } from './mapped-files.js';
import type { Entry } from './object.js';
import { heldBy } from './process-table.js';
import type { Surroundings } from './surroundings.js';

/** Where glibc keeps a named semaphore, and musl. */
const PLACES = ['/dev/shm/sem.', '/dev/shm/'] as const;

/**
 * The named semaphores of POSIX.
 *
 * @param around - processes and records
 * @returns an entry for each
 */
export function posixSemaphores(around: Surroundings): Entry[] {
  return sem.PosixSemaphore.list().flatMap(({ name, mode, uid, gid, value }) => {
    const path = semaphorePath(name);
    const status = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    if (status === undefined) return [];
    return around.judge({
      kind: 'sem',
      url: urlOfName('sem', name),
      name,
      mode,
      uid,
      gid,
      ...heldBy(around.processes.files.get(fileKey(status.dev, status.ino))),
      remarks: value === null ? [] : [`value ${value}`],
      details: { value, path },
      ...(value === null ? {} : { counters: { value } }),
    });
  });
}

/** The file of a named semaphore; undefined if there is none. */
export function semaphorePath(name: string): string | undefined {
  return PLACES.map((place) => `${place}${name.slice(1)}`).find(
    (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  );
}

/** The System V sets, whose holders are who used their semaphores last. */
export function sysvSemaphores(around: Surroundings): Entry[] {
  return sem.SysvSemaphoreSet.list().map((info) => {
    const { id, key, mode, uid, gid, count, operateTime, changeTime } = info;
    const last = lastUsers(id, count);
    // Setting a value counts as a use, of which the set has no time of its own.
    const since = operateTime !== null && operateTime > changeTime ? operateTime : changeTime;
    return around.judge({
      kind: 'sysv-sem',
      url: urlOfSysv('sysv-sem', key, id),
      id,
      key,
      mode,
      uid,
      gid,
      holders: last.filter((pid) => around.processes.lives(pid, since)),
      uses: [],
      wasUsed: last.length > 0,
      remarks: [count === 1 ? '1 semaphore' : `${count} semaphores`],
      details: {
        count,
        operateTime,
        changeTime,
        creatorUid: info.creatorUid,
        creatorGid: info.creatorGid,
      },
    });
  });
}

/** Who last did something to a set, of those semaphores that can be asked. */
function lastUsers(id: number, count: number): number[] {
  const pids = new Set<number>();
  try {
    const set = sem.SysvSemaphoreSet.fromId(id);
    try {
      for (let index = 0; index < Math.min(count, MOST_ASKED); index++) {
        const pid = set.lastPid(index);
        if (pid > 0) pids.add(pid);
      }
    } finally {
      set.close();
    }
  } catch {
    // It was removed since, or its mode does not let this user look.
  }
  return [...pids];
}

/** Of a set with more semaphores, who used the others is not asked: each is a system call. */
const MOST_ASKED = 64;
