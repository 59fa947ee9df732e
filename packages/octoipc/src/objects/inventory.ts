import { memfds, sharedFiles, sysvSegments } from './memory.js';
import { KINDS, type Entry, type Kind } from './object.js';
import { fifos, pipes, unixSockets } from './passing.js';
import { posixQueues, sysvQueues } from './queues.js';
import { posixSemaphores, sysvSemaphores } from './semaphores.js';
import { Surroundings } from './surroundings.js';

/** Which objects are wanted. */
export interface Filter {
  readonly kinds?: readonly Kind[] | undefined;
  readonly orphaned?: boolean | undefined;
  /** Only those of this user. */
  readonly mine?: boolean | undefined;
  /** Only those that this process has. */
  readonly pid?: number | undefined;
  /** Only those whose URL, or name, is like this: `*` and `?` as a shell has them. */
  readonly pattern?: string | undefined;
}

/** What finds the objects of some kinds. */
interface Source {
  readonly kinds: readonly Kind[];
  readonly find: (around: Surroundings) => Entry[];
}

const SOURCES: readonly Source[] = [
  { kinds: ['mq'], find: posixQueues },
  { kinds: ['sysv-mq'], find: sysvQueues },
  { kinds: ['sem'], find: posixSemaphores },
  { kinds: ['sysv-sem'], find: sysvSemaphores },
  {
    kinds: ['shm', 'mutex', 'rwlock', 'condition', 'barrier', 'ring', 'broadcast', 'value'],
    find: sharedFiles,
  },
  { kinds: ['sysv-shm'], find: sysvSegments },
  { kinds: ['fifo'], find: fifos },
  { kinds: ['unix'], find: unixSockets },
  { kinds: ['pipe'], find: pipes },
  { kinds: ['memfd'], find: memfds },
];

/** What the system lacks, or hides: nothing of it can be listed. */
const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'EACCES', 'EPERM', 'ERR_UNSUPPORTED']);

/** The objects at one moment, and the processes that were looked at. */
export interface Inventory {
  readonly entries: readonly Entry[];
  readonly around: Surroundings;
}

/**
 * The objects of this machine, as far as this user may see them. What comes and goes while it is listed may
 * be in the list or not.
 *
 * @param filter - which of them
 * @returns the objects, by kind and name
 */
export function takeInventory(filter: Filter = {}): Inventory {
  const { kinds, pattern } = filter;
  const around = new Surroundings();
  const wanted = (kind: Kind): boolean => kinds?.includes(kind) ?? true;
  const fits = pattern === undefined ? undefined : globOf(pattern);
  const entries = SOURCES.filter((source) => source.kinds.some(wanted))
    .flatMap(({ find }) => existing(() => find(around)))
    .filter((entry) => wanted(entry.kind) && passes(entry, filter, fits));
  return { entries: entries.toSorted(order), around };
}

function existing(find: () => Entry[]): Entry[] {
  try {
    return find();
  } catch (error) {
    if (ABSENT.has((error as { code?: unknown }).code)) return [];
    throw error;
  }
}

function passes(entry: Entry, filter: Filter, fits: RegExp | undefined): boolean {
  if (filter.orphaned === true && !entry.orphaned) return false;
  if (filter.mine === true && entry.uid !== process.geteuid?.()) return false;
  if (filter.pid !== undefined && !entry.holders.includes(filter.pid)) return false;
  if (fits === undefined) return true;
  return fits.test(entry.url) || (entry.name !== undefined && fits.test(entry.name));
}

/** A shell's pattern as a regular expression: `*`, `?` and everything else as it is. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

const RANK = new Map(KINDS.map((kind, index) => [kind, index]));

function order(a: Entry, b: Entry): number {
  const kinds = RANK.get(a.kind)! - RANK.get(b.kind)!;
  if (kinds !== 0) return kinds;
  if (
    a.inode !== undefined &&
    b.inode !== undefined &&
    a.name === undefined &&
    b.name === undefined
  )
    return a.inode - b.inode;
  return a.url < b.url ? -1 : 1;
}
