import { readFileSync } from 'node:fs';

import type { ShmBinding } from './binding.js';
import { attachedSegments, segmentKey, type MapKey } from './holders.js';
import { withHolders, type ListOptions } from './list.js';

/** What a System V segment is, and who used it last. */
export interface SysvSharedMemoryStatus {
  readonly id: number;
  /** 0 for a private segment, and for one that was removed; unsigned, as ipcs(1) shows it. */
  readonly key: number;
  /** Permission bits. */
  readonly mode: number;
  /** Whether it was removed, and goes with the last who has it attached. */
  readonly removed: boolean;
  /** Whether it is kept from being swapped out. */
  readonly locked: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  /** Its bytes. */
  readonly size: number;
  /** How many have it attached; a process may have it several times. */
  readonly attachments: number;
  readonly creatorPid: number;
  /** Who attached or detached it last; 0 before anybody did. */
  readonly lastPid: number;
  readonly attachTime: Date | null;
  readonly detachTime: Date | null;
  /** When it was created, or its mode or owner was changed. */
  readonly changeTime: Date;
}

/** A segment in a list. */
export interface SysvSharedMemoryInfo extends SysvSharedMemoryStatus {
  /** Processes that have it attached, of those that this user may look at. */
  readonly mappedBy: readonly number[];
}

const NUMBERS = 15;
const REMOVED = 0o1000;
const LOCKED = 0o2000;

/** shmctl(IPC_STAT), or its -errno. */
export function readStatus(native: ShmBinding, id: number): SysvSharedMemoryStatus | number {
  const numbers = new Float64Array(NUMBERS);
  const result = native.sysvStat(id, numbers);
  return result < 0 ? result : statusOf(id, [...numbers]);
}

/** The segments of this IPC namespace: /proc/sysvipc/shm, proc(5). */
export function listSysv(options: ListOptions | undefined): SysvSharedMemoryInfo[] {
  const looked = withHolders(options);
  const [, ...lines] = readFileSync('/proc/sysvipc/shm', 'latin1').trimEnd().split('\n');
  const mapped = looked ? attachedSegments() : new Map<MapKey, number[]>();
  return lines.map((line) => {
    const [key = '0', id = '0', permissions = '0', ...rest] = line.trim().split(/\s+/);
    const [size = 0, creator = 0, last = 0, attached = 0, ...more] = rest.map(Number);
    const [uid = 0, gid = 0, cuid = 0, cgid = 0, attach = 0, detach = 0, change = 0] = more;
    const status = statusOf(Number(id), [
      Number(key),
      Number.parseInt(permissions, 8),
      uid,
      gid,
      cuid,
      cgid,
      size,
      attached,
      creator,
      last,
      attach,
      detach,
      change,
    ]);
    return { ...status, mappedBy: mapped.get(segmentKey(Number(id))) ?? [] };
  });
}

function statusOf(id: number, numbers: readonly number[]): SysvSharedMemoryStatus {
  const [key = 0, mode = 0, uid = 0, gid = 0, creatorUid = 0, creatorGid = 0] = numbers;
  const [
    size = 0,
    attachments = 0,
    creatorPid = 0,
    lastPid = 0,
    attach = 0,
    detach = 0,
    change = 0,
  ] = numbers.slice(6);
  return {
    id,
    key: key >>> 0,
    mode: mode & 0o777,
    removed: (mode & REMOVED) !== 0,
    locked: (mode & LOCKED) !== 0,
    uid,
    gid,
    creatorUid,
    creatorGid,
    size,
    attachments,
    creatorPid,
    lastPid,
    attachTime: timeOf(attach),
    detachTime: timeOf(detach),
    changeTime: new Date(change * 1000),
  };
}

function timeOf(seconds: number): Date | null {
  return seconds === 0 ? null : new Date(seconds * 1000);
}
