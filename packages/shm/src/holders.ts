import { readdirSync, readFileSync, statSync } from 'node:fs';

/** What tells an object in /proc/PID/maps: `device:inode`, and of System V memory its id. */
export type MapKey = string;

/** Processes by the objects that they have mapped, of those that this user may look at: proc(5). */
export function mappedObjects(): Map<MapKey, number[]> {
  const found = new Map<MapKey, number[]>();
  for (const pid of processes()) {
    for (const key of mapsOf(pid)) add(found, key, pid);
  }
  return found;
}

/** Processes by the files in /dev/shm that they have open, by the same keys. */
export function addOpenFiles(found: Map<MapKey, number[]>, wanted: ReadonlySet<MapKey>): void {
  for (const pid of processes()) {
    for (const fd of entriesOf(`/proc/${pid}/fd`)) {
      const key = keyOfFile(`/proc/${pid}/fd/${fd}`);
      if (key !== undefined && wanted.has(key)) add(found, key, pid);
    }
  }
}

/** The key of what is at a path; undefined if nothing is, or it may not be looked at. */
export function keyOfFile(path: string): MapKey | undefined {
  try {
    const { dev, ino } = statSync(path);
    return fileKey(dev, ino);
  } catch {
    return undefined;
  }
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

function mapsOf(pid: number): Set<MapKey> {
  const keys = new Set<MapKey>();
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, , , device, inode, path] = line.split(/\s+/, 6);
      if (inode === undefined || inode === '0') continue;
      keys.add(
        path?.startsWith('/SYSV') === true ? segmentKey(Number(inode)) : `${device} ${inode}`,
      );
    }
  } catch {
    // It has ended, or is another user's.
  }
  return keys;
}

function add(found: Map<MapKey, number[]>, key: MapKey, pid: number): void {
  const pids = found.get(key);
  if (pids === undefined) found.set(key, [pid]);
  else if (!pids.includes(pid)) pids.push(pid);
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
