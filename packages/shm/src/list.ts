import { lstatSync, readdirSync } from 'node:fs';

import { addOpenFiles, fileKey, mappedObjects, type MapKey } from './holders.js';
import { FOLDER } from './name.js';

/** POSIX shared memory, as anybody may see it. */
export interface SharedMemoryInfo {
  readonly name: string;
  /** Its bytes. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Processes that have it mapped, of those that this user may look at. */
  readonly mappedBy: readonly number[];
  /** Processes that have it mapped or open. */
  readonly holders: readonly number[];
}

/** Semaphores are files of the same folder: sem_overview(7). */
const SEMAPHORE = 'sem.';

/** The files of /dev/shm. */
export function listPosix(): SharedMemoryInfo[] {
  const files = readdirSync(FOLDER).flatMap((file) => {
    if (file.startsWith(SEMAPHORE)) return [];
    try {
      const status = lstatSync(`${FOLDER}/${file}`);
      return status.isFile() ? [{ name: `/${file}`, status }] : [];
    } catch {
      return []; // It was unlinked since.
    }
  });
  const mapped = mappedObjects();
  const held = new Map<MapKey, number[]>([...mapped].map(([key, pids]) => [key, [...pids]]));
  addOpenFiles(held, new Set(files.map(({ status }) => fileKey(status.dev, status.ino))));
  return files
    .map(({ name, status: { size, mode, uid, gid, dev, ino } }) => {
      const key = fileKey(dev, ino);
      const mappedBy = mapped.get(key) ?? [];
      return { name, size, mode: mode & 0o777, uid, gid, mappedBy, holders: held.get(key) ?? [] };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
