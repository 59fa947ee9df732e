import { readdirSync, readFileSync, readlinkSync, statSync, type Stats } from 'node:fs';

/** What tells an object in /proc/PID/maps: `device:inode`, and of System V memory its id. */
export type MapKey = string;

/** An object that some process has mapped or open, of those that this user may look at: proc(5). */
export interface HeldObject {
  /** As /proc has it: `/dev/shm/x`, `/memfd:x (deleted)`, a file's path. */
  readonly path: string;
  /** Processes that have it mapped. */
  readonly mappedBy: number[];
  /** Processes that have it mapped or open. */
  readonly holders: number[];
  /** Whether somebody has it mapped so that others see what is stored. */
  shared: boolean;
  /** As much of it as is mapped. */
  mappedBytes: number;
  /** Of one that somebody has open. */
  status?: Stats;
}

/** What is looked for beside what is mapped. */
interface WalkOptions {
  /** Descriptors of memfds and of files in this folder count, too. */
  readonly openUnder?: string;
  /** Only what is mapped shared, and memory: not the code that every process has mapped privately. */
  readonly sharedOnly?: boolean;
}

/** How /proc calls memfds. */
export const MEMFD = '/memfd:';

/** One look at all processes: objects by their keys. */
export function heldObjects({
  openUnder,
  sharedOnly = false,
}: WalkOptions): Map<MapKey, HeldObject> {
  const found = new Map<MapKey, HeldObject>();
  for (const pid of processes()) {
    addMaps(found, pid, sharedOnly);
    if (openUnder !== undefined) addDescriptors(found, pid, `${openUnder}/`);
  }
  return found;
}

/** Processes by the System V segments that they have attached. */
export function attachedSegments(): Map<MapKey, number[]> {
  return new Map([...heldObjects({})].map(([key, { mappedBy }]) => [key, mappedBy]));
}

/** The key of a file. Maps have the device as major:minor, in hexadecimal: makedev(3). */
export function fileKey(dev: number, ino: number): MapKey {
  const major = Math.floor(dev / 0x100) & 0xfff;
  const minor = (dev & 0xff) | (Math.floor(dev / 0x1000) & 0xfff00);
  const hex = (number: number): string => number.toString(16).padStart(2, '0');
  return `${hex(major)}:${hex(minor)} ${ino}`;
}

/** The key of a System V segment, whose inode is its id. */
export function segmentKey(id: number): MapKey {
  return `sysv ${id}`;
}

/** `from-to perms offset device inode path`, of what has a path. */
const MAPPED = /^([\da-f]+)-([\da-f]+) ..(.)(.) ([\da-f]+) (\S+) ([1-9]\d*) +(\/[^\n]*)$/gm;

function addMaps(found: Map<MapKey, HeldObject>, pid: number, sharedOnly: boolean): void {
  let maps: string;
  try {
    maps = readFileSync(`/proc/${pid}/maps`, 'latin1');
  } catch {
    return; // It has ended, or is another user's.
  }
  for (const match of maps.matchAll(MAPPED)) {
    const [, from = '', to = '', , how, offset = '', device, inode, raw = ''] = match;
    const path = pathIn(raw);
    const shared = how === 's';
    if (sharedOnly && !shared && !path.startsWith(MEMFD) && !path.startsWith('/dev/shm/')) continue;
    const key = path.startsWith('/SYSV') ? segmentKey(Number(inode)) : `${device} ${inode}`;
    const object = objectAt(found, key, path);
    object.shared ||= shared;
    const end = Number.parseInt(to, 16) - Number.parseInt(from, 16) + Number.parseInt(offset, 16);
    object.mappedBytes = Math.max(object.mappedBytes, end);
    addOnce(object.mappedBy, pid);
    addOnce(object.holders, pid);
  }
}

/** A path as maps have it: bytes, of which a line feed alone is written otherwise. */
function pathIn(raw: string): string {
  return Buffer.from(raw, 'latin1')
    .toString()
    .replaceAll(String.raw`\012`, '\n');
}

/** Only what may be shared memory is looked at: there may be thousands of other descriptors. */
function addDescriptors(found: Map<MapKey, HeldObject>, pid: number, folder: string): void {
  for (const fd of entriesOf(`/proc/${pid}/fd`)) {
    const link = `/proc/${pid}/fd/${fd}`;
    try {
      const path = readlinkSync(link);
      if (!path.startsWith(MEMFD) && !path.startsWith(folder)) continue;
      const status = statSync(link);
      const object = objectAt(found, fileKey(status.dev, status.ino), path);
      object.status = status;
      addOnce(object.holders, pid);
    } catch {
      // It was closed since.
    }
  }
}

function objectAt(found: Map<MapKey, HeldObject>, key: MapKey, path: string): HeldObject {
  let object = found.get(key);
  if (object === undefined) {
    object = { path, mappedBy: [], holders: [], shared: false, mappedBytes: 0 };
    found.set(key, object);
  }
  return object;
}

/** Processes come one after the other: one that is in the list already is its last. */
function addOnce(pids: number[], pid: number): void {
  if (pids.at(-1) !== pid) pids.push(pid);
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
