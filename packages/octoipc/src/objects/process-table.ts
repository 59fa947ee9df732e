import { readFileSync, readlinkSync, statSync, type Stats } from 'node:fs';

import { ipcNamespace, pidInUse } from '@octoipc/core/kit';

import { fileKey, MappedFiles } from './mapped-files.js';
import {
  isHidden,
  isZombie,
  numericEntries,
  processInfo,
  userOf,
  type ProcessInfo,
} from './process-info.js';

/** How a process has an object. */
export interface Use {
  readonly pid: number;
  /** The descriptor; undefined where it is mapped. */
  readonly fd?: number;
}

/** What a descriptor or a mapping is of. */
export interface OpenObject {
  readonly target: string;
  readonly status: Stats | undefined;
  readonly uses: Use[];
}

/**
 * Who has what: one walk through /proc for all kinds of objects.
 *
 * Lifetime: a snapshot. Processes that end while it is taken are left out; those that this user may not look
 * at are known by number and owner only.
 */
export class ProcessTable {
  /** FIFOs, files in /dev/shm, queues and memfds, by `major:minor inode`. */
  readonly files: Map<string, OpenObject> = new Map();
  /** Pipes and sockets by their inode. */
  readonly pipes: Map<number, OpenObject> = new Map();
  readonly sockets: Map<number, OpenObject> = new Map();
  /** System V segments by their id. */
  readonly segments: Map<number, number[]> = new Map();
  /** Users of processes, no kernel threads, that this user may not look at. */
  readonly hiddenUsers: Set<number> = new Set();
  readonly #hidden = new Set<number>();
  /** Whether /proc may have processes that it does not even list: its option hidepid. */
  readonly #unlisted: boolean;
  readonly #infos = new Map<number, ProcessInfo | undefined>();
  readonly #mapped: MappedFiles;

  constructor() {
    this.#mapped = new MappedFiles();
    const own = ipcNamespace();
    const pids = numericEntries('/proc');
    for (const pid of pids) this.#look(pid, own);
    this.#unlisted = !pids.includes(INIT) && pidInUse(INIT);
  }

  /** What a process is, as long as it lives; undefined when it does not, or is a zombie. */
  process(pid: number): ProcessInfo | undefined {
    if (!this.#infos.has(pid)) this.#infos.set(pid, processInfo(pid));
    return this.#infos.get(pid);
  }

  /** Whether a process lives that was there already at a time, or at all: not a later one of the same number. */
  lives(pid: number, since: Date | null): boolean {
    const info = this.process(pid);
    // /proc tells starts by the hundredth of a second, the kernel's objects their times by the second.
    return info !== undefined && (since === null || info.startTime <= since.getTime() + 2000);
  }

  /**
   * Whether somebody whom this user may not look at could have an object of this owner and mode. Of root,
   * who may have anything, it is taken that he has his own.
   */
  couldHide(uid: number | null, mode: number | null): boolean {
    if (uid === null || mode === null || this.hiddenUsers.has(uid)) return true;
    if (this.#unlisted && (uid !== process.geteuid?.() || (mode & 0o066) !== 0)) return true;
    return (mode & 0o066) !== 0 && [...this.hiddenUsers].some((user) => user !== 0);
  }

  /** Whether a process has a file of /dev/shm mapped now; of one that may not be looked at it is taken that it has. */
  hasMapped(pid: number, key: string): boolean {
    if (this.#hidden.has(pid) || isHidden(pid)) return true;
    return this.#mapped.of(pid).files.has(key);
  }

  #look(pid: number, ownNamespace: string): void {
    const folder = `/proc/${pid}`;
    let fds: number[];
    let sameNamespace: boolean;
    try {
      fds = numericEntries(`${folder}/fd`);
      sameNamespace = readlinkSync(`${folder}/ns/ipc`) === ownNamespace;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Anything else is a process that ends.
      if (code === 'EACCES' || code === 'EPERM') this.#hide(pid);
      return;
    }
    for (const fd of fds) this.#lookAt(`${folder}/fd/${fd}`, { pid, fd }, sameNamespace);
    const { files, segments } = this.#mapped.of(pid);
    for (const [key, { target, path }] of files) this.#add(this.files, key, target, { pid }, path);
    if (!sameNamespace) return;
    for (const id of segments) {
      const pids = this.segments.get(id);
      if (pids === undefined) this.segments.set(id, [pid]);
      else pids.push(pid);
    }
  }

  #hide(pid: number): void {
    // In a container it may have rights that root has not; it starts others, and shares nothing with them.
    if (pid === INIT) return;
    this.#hidden.add(pid);
    const info = this.process(pid);
    if (info?.kernelThread === true || (info === undefined && isZombie(pid))) return;
    try {
      this.hiddenUsers.add(info?.uid ?? userOf(pid));
    } catch {
      // It has ended.
    }
  }

  #lookAt(path: string, use: Use, sameNamespace: boolean): void {
    let target: string;
    try {
      target = readlinkSync(path);
    } catch {
      return;
    }
    const [, type, inode] = /^(pipe|socket):\[(\d+)\]$/.exec(target) ?? [];
    if (type !== undefined) {
      this.#add(type === 'pipe' ? this.pipes : this.sockets, Number(inode), target, use, path);
      return;
    }
    if (!target.startsWith('/')) return;
    const status = statusOf(path);
    if (status === undefined || !(status.isFIFO() || status.isFile())) return;
    // A name of another IPC namespace means another queue.
    if (!sameNamespace && /^\/[^/]+$/.test(target)) return;
    if (!status.isFIFO() && !this.#mapped.isMemory(status.dev, target) && !isQueue(target)) return;
    this.#add(this.files, fileKey(status.dev, status.ino), target, use, path);
  }

  #add<Key>(map: Map<Key, OpenObject>, key: Key, target: string, use: Use, path: string): void {
    const known = map.get(key);
    if (known === undefined) map.set(key, { target, status: statusOf(path), uses: [use] });
    else known.uses.push(use);
  }
}

const INIT = 1;

/** The processes of uses, each once. */
export function pidsOf(object: OpenObject | undefined): number[] {
  return [...new Set(object?.uses.map(({ pid }) => pid) ?? [])].toSorted((a, b) => a - b);
}

/** Who has an object, and how. */
export function heldBy(object: OpenObject | undefined): {
  holders: number[];
  uses: readonly Use[];
} {
  return { holders: pidsOf(object), uses: object?.uses ?? [] };
}

/** The file of a queue is named as the queue is: a slash, and no other. */
function isQueue(target: string): boolean {
  return /^\/(?!memfd:)[^/]+$/.test(target);
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Where the mqueue file system is mounted; undefined if it is not. */
export function queueFolder(): string | undefined {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const path = lines.map((line) => line.split(' ')).find((fields) => fields[2] === 'mqueue')?.[1];
  return path?.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
