import { lstatSync, readdirSync, statSync, type Stats } from 'node:fs';

import { oneOf, optionalBoolean, optionsObject, typeError } from '@octoipc/core/kit';

import { fileKey, heldObjects, MEMFD, type HeldObject, type MapKey } from './holders.js';
import { FOLDER } from './name.js';

/** POSIX memory has a name, a memfd a descriptor only, and a file is wherever it is. */
export type SharedMemoryKind = 'posix' | 'memfd' | 'file';

/** Memory that processes share, as anybody may see it. */
export interface SharedMemoryInfo {
  readonly kind: SharedMemoryKind;
  /** What `open` takes; of a memfd what its maker called it, of a file its path. */
  readonly name: string;
  /** Its bytes; of a memfd that nobody has open any more, as many as are mapped. */
  readonly size: number;
  /** Permission bits; 0 where nobody has it open, so that they cannot be seen. */
  readonly mode: number;
  /** Its owner; -1 where that cannot be seen. */
  readonly uid: number;
  readonly gid: number;
  /** Processes that have it mapped, of those that this user may look at. */
  readonly mappedBy: readonly number[];
  /** Processes that have it mapped or open; of a file those that have it mapped. */
  readonly holders: readonly number[];
}

/** What a list of objects takes the time for. */
export interface ListOptions {
  /** Look through /proc for who has them mapped or open, which takes longest. @default true */
  readonly holders?: boolean | undefined;
}

/** What `SharedMemory.list` takes. */
export interface SharedMemoryListOptions extends ListOptions {
  /**
   * Which: POSIX memory, memfds that somebody has mapped or open, files that somebody has mapped so that
   * others see what is stored. All take one look at all processes, those of the last two always.
   *
   * @default ['posix']
   */
  readonly kinds?: readonly SharedMemoryKind[] | undefined;
}

const KINDS = ['posix', 'memfd', 'file'] as const;

/** Whether a list is to tell holders. */
export function withHolders(options: ListOptions | undefined): boolean {
  const { holders } = optionsObject<ListOptions>(options);
  return optionalBoolean(holders, 'options.holders') ?? true;
}

/** Semaphores are files of the same folder: sem_overview(7). */
const SEMAPHORE = 'sem.';

/** Shared memory of some kinds, by name. */
export function listMemory(options: SharedMemoryListOptions | undefined): SharedMemoryInfo[] {
  const { kinds = ['posix'] } = optionsObject<SharedMemoryListOptions>(options);
  if (!Array.isArray(kinds)) throw typeError('options.kinds', 'an array of kinds', kinds);
  for (const kind of kinds as SharedMemoryKind[]) oneOf(kind, 'options.kinds', KINDS);
  const told = withHolders(options);
  const posix = kinds.includes('posix') ? posixFiles() : [];
  const held =
    told || kinds.some((kind) => kind !== 'posix')
      ? heldObjects({ openUnder: FOLDER, sharedOnly: true })
      : new Map<MapKey, HeldObject>();
  const found = posix.map(({ name, status, key }) => {
    return infoOf('posix', name, status, held.get(key));
  });
  const named = new Set(posix.map(({ key }) => key));
  for (const [key, object] of held) {
    if (named.has(key)) continue;
    const kind = kindOf(object);
    if (kind === undefined || !kinds.includes(kind)) continue;
    if (kind === 'memfd') {
      found.push(infoOf(kind, memfdName(object.path), object.status, object));
      continue;
    }
    const name = pathNow(object.path);
    const status = name === undefined ? undefined : statusOfPath(name);
    if (name !== undefined && status !== undefined) found.push(infoOf(kind, name, status, object));
  }
  const sorted = found.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return told ? sorted : sorted.map((info) => ({ ...info, mappedBy: [], holders: [] }));
}

/** The files of /dev/shm. */
function posixFiles(): { name: string; status: Stats; key: MapKey }[] {
  return readdirSync(FOLDER).flatMap((file) => {
    if (file.startsWith(SEMAPHORE)) return [];
    try {
      const status = lstatSync(`${FOLDER}/${file}`);
      return status.isFile()
        ? [{ name: `/${file}`, status, key: fileKey(status.dev, status.ino) }]
        : [];
    } catch {
      return []; // It was unlinked since.
    }
  });
}

/** Undefined for what was POSIX memory and has no name any more, and for what is none of these. */
function kindOf({ path, shared }: HeldObject): SharedMemoryKind | undefined {
  if (path.startsWith(MEMFD)) return 'memfd';
  if (!shared || path.startsWith(`${FOLDER}/`) || path.startsWith('/SYSV')) return undefined;
  return 'file';
}

/** A file that was made without a name, and got one later: O_TMPFILE, as we make them. */
const MADE_NAMELESS = /^(.*)\/#(\d+) \(deleted\)$/;

/** Where a file is that /proc has by the name that it was opened with; undefined if it has none. */
function pathNow(path: string): string | undefined {
  const [, folder, inode] = MADE_NAMELESS.exec(path) ?? [];
  if (folder === undefined) return path.endsWith(' (deleted)') ? undefined : path;
  try {
    return readdirSync(folder)
      .map((file) => `${folder}/${file}`)
      .find((file) => lstatSync(file, { throwIfNoEntry: false })?.ino === Number(inode));
  } catch {
    return undefined; // The folder is gone, or not for this user.
  }
}

function statusOfPath(path: string): Stats | undefined {
  try {
    const status = statSync(path);
    return status.isFile() ? status : undefined;
  } catch {
    return undefined;
  }
}

function memfdName(path: string): string {
  return path.slice(MEMFD.length).replace(/ \(deleted\)$/, '');
}

function infoOf(
  kind: SharedMemoryKind,
  name: string,
  status: Stats | undefined,
  held: HeldObject | undefined,
): SharedMemoryInfo {
  return {
    kind,
    name,
    size: status?.size ?? held?.mappedBytes ?? 0,
    mode: (status?.mode ?? 0) & 0o777,
    uid: status?.uid ?? -1,
    gid: status?.gid ?? -1,
    mappedBy: held?.mappedBy ?? [],
    holders: held?.holders ?? [],
  };
}
