import { lstatSync, readdirSync } from 'node:fs';

import { optionalBoolean, optionsObject } from '@octoipc/core/kit';

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

/** What a list of objects takes the time for. */
export interface ListOptions {
  /** Look through /proc for who has them mapped or open, which takes longest. @default true */
  readonly holders?: boolean | undefined;
}

/** Whether a list is to tell holders. */
export function withHolders(options: ListOptions | undefined): boolean {
  const { holders } = optionsObject<ListOptions>(options);
  return optionalBoolean(holders, 'options.holders') ?? true;
}

/** Semaphores are files of the same folder: sem_overview(7). */
const SEMAPHORE = 'sem.';

/** The files of /dev/shm. */
export function listPosix(options: ListOptions | undefined): SharedMemoryInfo[] {
  const looked = withHolders(options);
  const files = readdirSync(FOLDER).flatMap((file) => {
    if (file.startsWith(SEMAPHORE)) return [];
    try {
      const status = lstatSync(`${FOLDER}/${file}`);
      return status.isFile() ? [{ name: `/${file}`, status }] : [];
    } catch {
      return []; // It was unlinked since.
    }
  });
  const mapped = looked ? mappedObjects() : new Map<MapKey, number[]>();
  const held = new Map<MapKey, number[]>([...mapped].map(([key, pids]) => [key, [...pids]]));
  if (looked)
    addOpenFiles(held, new Set(files.map(({ status }) => fileKey(status.dev, status.ino))));
  return files
    .map(({ name, status: { size, mode, uid, gid, dev, ino } }) => {
      const key = fileKey(dev, ino);
      const mappedBy = mapped.get(key) ?? [];
      return { name, size, mode: mode & 0o777, uid, gid, mappedBy, holders: held.get(key) ?? [] };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
