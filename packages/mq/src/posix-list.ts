import { ipcNamespace, optionalBoolean, optionsObject } from '@octoipc/core/kit';
import {
  constants,
  fstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  statSync,
} from 'node:fs';

import { binding } from './binding.js';
import { EACCES } from './errno.js';

/** A POSIX queue, as anybody may see it. */
export interface PosixQueueInfo {
  readonly name: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Its attributes; `null` where its mode does not let this user in. */
  readonly maxMessages: number | null;
  readonly maxMessageSize: number | null;
  readonly currentMessages: number | null;
  /** The bytes of its messages; `null` if unknown: only the mqueue file system tells. */
  readonly bytes: number | null;
  /** The process that is registered by mq_notify(3); `null` if there is none, or it is unknown. */
  readonly notifyPid: number | null;
  /** Processes that have it open, of those that this user may look at. */
  readonly holders: readonly number[];
}

/** What a list of objects takes the time for. */
export interface ListOptions {
  /** Look through /proc for who has them open or mapped, which takes longest. @default true */
  readonly holders?: boolean | undefined;
}

/** What statfs(2) calls the mqueue file system. */
const MQUEUE_MAGIC = 0x1980_0202;

/** The queues of this IPC namespace, as far as they can be known. */
export function listPosix(options: ListOptions | undefined): PosixQueueInfo[] {
  const given = optionsObject<ListOptions>(options);
  const mount = mountPoint();
  const looked = optionalBoolean(given.holders, 'options.holders') ?? true;
  const held = looked || mount === undefined ? holders() : new Map<string, Found>();
  const files = mount === undefined ? held : filesOf(mount, held);
  return [...files]
    .map(([name, { path, pids }]) => describe(name, path, pids, mount !== undefined))
    .filter((info) => info !== undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Where a queue can be looked at, and who has it open. */
interface Found {
  readonly path: string;
  readonly pids: number[];
}

/** Where the mqueue file system of this IPC namespace is mounted; undefined if it is not. */
function mountPoint(): string | undefined {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === 'mqueue')
    .map(([, path = '']) => unescaped(path))
    .find((path) => hasOwnQueues(path));
}

/** Blanks and the like are written in octal: proc(5), getmntent(3). */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/**
 * Whether the queues of a mount are those that names mean here: who has left its IPC namespace still sees
 * the mount of the one that it was in.
 */
function hasOwnQueues(mount: string): boolean {
  let forbidden = false;
  try {
    const { dev } = statSync(mount);
    for (const file of readdirSync(mount)) {
      const fd = openSomehow(`/${file}`);
      if (fd >= 0) return deviceOf(fd) === dev;
      forbidden ||= fd === EACCES;
    }
  } catch {
    return false; // It cannot be looked at, or lies under another mount.
  }
  return forbidden;
}

function deviceOf(fd: number): number {
  try {
    return fstatSync(fd).dev;
  } finally {
    binding().close(fd);
  }
}

/** A queue's descriptor to look at, or -errno. */
function openSomehow(name: string): number {
  const native = binding();
  const fd = native.posixOpen(name, constants.O_RDONLY);
  return fd < 0 ? native.posixOpen(name, constants.O_WRONLY) : fd;
}

function filesOf(mount: string, held: ReadonlyMap<string, Found>): Map<string, Found> {
  const files = new Map<string, Found>();
  for (const file of readdirSync(mount)) {
    const name = `/${file}`;
    files.set(name, { path: `${mount}/${file}`, pids: held.get(name)?.pids ?? [] });
  }
  return files;
}

/** Queues by name that some process has open, of those whose descriptors we may look at. */
function holders(): Map<string, Found> {
  const found = new Map<string, Found>();
  const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const own = ipcNamespace();
  for (const pid of processes) {
    // Names of another namespace mean other queues.
    if (linkOf(`/proc/${pid}/ns/ipc`) !== own) continue;
    for (const fd of entriesOf(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`;
      const name = queueOf(path);
      if (name === undefined) continue;
      const { pids } = found.get(name) ?? setDefault(found, name, { path, pids: [] });
      if (!pids.includes(Number(pid))) pids.push(Number(pid));
    }
  }
  return found;
}

function setDefault(map: Map<string, Found>, name: string, value: Found): Found {
  map.set(name, value);
  return value;
}

/** The name of the queue that a descriptor is of; undefined if it is of something else. */
function queueOf(path: string): string | undefined {
  const target = linkOf(path);
  if (target === undefined || !/^\/[^/]+$/.test(target) || target.endsWith(' (deleted)')) {
    return undefined;
  }
  try {
    return statfsSync(path).type === MQUEUE_MAGIC ? target : undefined;
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function describe(
  name: string,
  path: string,
  holding: readonly number[],
  mounted: boolean,
): PosixQueueInfo | undefined {
  try {
    const { mode, uid, gid } = statSync(path);
    const { bytes, notifyPid } = mounted ? statusOf(path) : UNKNOWN;
    const known = attributesOf(name);
    return { name, mode: mode & 0o777, uid, gid, ...known, bytes, notifyPid, holders: holding };
  } catch {
    return undefined; // It was unlinked since.
  }
}

const UNKNOWN = { bytes: null, notifyPid: null };

/** The one line that a queue's file holds: mq_overview(7). */
function statusOf(path: string): { bytes: number | null; notifyPid: number | null } {
  try {
    const text = readFileSync(path, 'latin1');
    const number = (field: string): number =>
      Number(new RegExp(`${field}:\\s*(\\d+)`).exec(text)?.[1] ?? 0);
    return { bytes: number('QSIZE'), notifyPid: number('NOTIFY_PID') || null };
  } catch {
    return UNKNOWN;
  }
}

type Known = Pick<PosixQueueInfo, 'maxMessages' | 'maxMessageSize' | 'currentMessages'>;

function attributesOf(name: string): Known {
  const native = binding();
  const fd = openSomehow(name);
  if (fd < 0) return { maxMessages: null, maxMessageSize: null, currentMessages: null };
  try {
    const attributes = new Float64Array(4);
    native.posixAttributes(fd, attributes);
    const [, maxMessages = 0, maxMessageSize = 0, currentMessages = 0] = attributes;
    return { maxMessages, maxMessageSize, currentMessages };
  } finally {
    native.close(fd);
  }
}
