import { closeSync, lstatSync, openSync, readFileSync, readSync } from 'node:fs';

import { isIpcError, type ReapReport } from '@octoipc/core';

import { mq, sem, shm } from '../index.js';
import { plain, type Entry, type IpcObject } from './object.js';
import type { ProcessInfo } from './process-info.js';
import type { Surroundings } from './surroundings.js';

/** A process that has an object. */
export interface Holder extends Omit<ProcessInfo, 'kernelThread' | 'startTicks'> {
  /** Its descriptors of the object, and what each may do. */
  readonly fds: readonly { readonly fd: number; readonly access: string }[];
  readonly mapped: boolean;
}

/** All that can be known of an object. */
export interface Inspection extends IpcObject {
  readonly details: Readonly<Record<string, unknown>>;
  readonly processes: readonly Holder[];
  /** The record of a temporary name. */
  readonly temporary: Pick<ReapReport, 'pid' | 'reason'> | null;
  readonly remarks: readonly string[];
}

/** So much of memory and of messages is shown. */
const SHOWN = 64;

/**
 * All that can be known of an object, and nothing of it changed.
 *
 * @param entry - the object
 * @param around - processes and records
 * @returns what is known
 */
export function inspectEntry(entry: Entry, around: Surroundings): Inspection {
  const record = around.recordOf(entry.url);
  return {
    ...plain(entry),
    details: { ...entry.details, ...moreOf(entry) },
    processes: entry.holders.flatMap((pid) => {
      const info = around.processes.process(pid);
      if (info === undefined) return [];
      const { command, uid, startTime } = info;
      return { pid, command, uid, startTime, ...usesOf(entry, pid) };
    }),
    temporary: record === undefined ? null : { pid: record.pid, reason: record.reason },
    remarks: entry.remarks,
  };
}

function usesOf({ uses }: Entry, pid: number): Pick<Holder, 'fds' | 'mapped'> {
  const own = uses.filter((use) => use.pid === pid);
  return {
    fds: own.flatMap(({ fd }) => (fd === undefined ? [] : { fd, access: accessOf(pid, fd) })),
    mapped: own.some(({ fd }) => fd === undefined),
  };
}

/** What a descriptor may do: the permission bits of its link in /proc tell. */
function accessOf(pid: number, fd: number): string {
  try {
    const { mode } = lstatSync(`/proc/${pid}/fd/${fd}`);
    const [reads, writes] = [(mode & 0o400) !== 0, (mode & 0o200) !== 0];
    return reads && writes ? 'read and write' : reads ? 'read' : 'write';
  } catch {
    return 'closed';
  }
}

type Details = Readonly<Record<string, unknown>>;

/** What has to be asked for: it may be refused, or gone by now. */
function moreOf(entry: Entry): Details {
  try {
    return MORE[entry.kind]?.(entry) ?? {};
  } catch (error) {
    return { unknown: (error as Error).message };
  }
}

const MORE: Partial<Record<Entry['kind'], (entry: Entry) => Details>> = {
  mq: () => ({ firstMessage: 'unknown: POSIX queues show no message without taking it' }),
  'sysv-mq': ({ id = 0 }) => firstMessage(id),
  sem: ({ details }) => ({ waiting: waitingFor(details['path'] as string) }),
  'sysv-sem': ({ id = 0 }) => ({ semaphores: semaphoresOf(id) }),
  shm: (entry) => ({ begins: beginning(pathOf(entry)) }),
  mutex: ({ name = '' }) => ({ waiters: waitersOf(sem.Mutex.open(name)) }),
  rwlock: ({ name = '' }) => ({ waiters: waitersOf(sem.RwLock.open(name)) }),
  condition: ({ name = '' }) => ({ waiters: waitersOf(sem.Condition.open(name)) }),
  memfd: (entry) => ({ seals: sealsOf(pathOf(entry)), begins: beginning(pathOf(entry)) }),
  fifo: endsOf,
  pipe: endsOf,
};

function firstMessage(id: number): Details {
  const queue = mq.SysvQueue.fromId(id);
  try {
    const message = queue.peek(0);
    if (message === null) return { firstMessage: null };
    const { type, data } = message;
    return { firstMessage: { type, size: data.length, begins: shown(data) } };
  } catch (error) {
    if (!isIpcError(error)) throw error;
    const why = error.code === 'ERR_UNSUPPORTED' ? 'this kernel has no MSG_COPY' : error.message;
    return { firstMessage: `unknown: ${why}` };
  } finally {
    queue.close();
  }
}

/** How many wait for a named semaphore: the second word of glibc's sem_t counts them. */
function waitingFor(path: string): number {
  return readFileSync(path).readUInt32LE(4);
}

function semaphoresOf(id: number): Details[] {
  const set = sem.SysvSemaphoreSet.fromId(id);
  try {
    return set.values.map((value, index) => {
      const { increase, zero } = set.waiting(index);
      const lastPid = set.lastPid(index);
      return { index, value, waitingForIncrease: increase, waitingForZero: zero, lastPid };
    });
  } finally {
    set.close();
  }
}

function waitersOf(lock: { readonly waiters: number; close(): void }): number {
  try {
    return lock.waiters;
  } finally {
    lock.close();
  }
}

/** Where an object can be opened: at its path, or at a descriptor of a process. */
function pathOf({ details, uses }: Entry): string {
  if (typeof details['path'] === 'string') return details['path'];
  const use = uses.find(({ fd }) => fd !== undefined);
  if (use === undefined) throw new Error('no descriptor is left: it is only mapped');
  return `/proc/${use.pid}/fd/${use.fd}`;
}

function beginning(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(SHOWN);
    return shown(buffer.subarray(0, readSync(fd, buffer, 0, SHOWN, 0)));
  } finally {
    closeSync(fd);
  }
}

function sealsOf(path: string): string[] {
  const memory = shm.SharedMemory.fromFd(openSync(path, 'r'), { readOnly: true });
  try {
    return memory.seals;
  } finally {
    memory.close();
  }
}

/** Bytes in hexadecimal, and as text where they are. */
function shown(bytes: Buffer): string {
  const first = bytes.subarray(0, SHOWN);
  const text = first.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.');
  return `${first.toString('hex').replaceAll(/(..)(?=.)/g, '$1 ')}  |${text}|`;
}

/** Who can read and who can write. Opening it to ask for more would make an end of it. */
function endsOf({ uses }: Entry): Details {
  const readers = new Set<number>();
  const writers = new Set<number>();
  for (const { pid, fd } of uses) {
    if (fd === undefined) continue;
    const access = accessOf(pid, fd);
    if (access.startsWith('read')) readers.add(pid);
    if (access.endsWith('write')) writers.add(pid);
  }
  return { readers: [...readers], writers: [...writers] };
}
