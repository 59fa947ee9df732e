import { readFileSync } from 'node:fs';

import type { SemBinding } from './binding.js';

/** What a System V set is. */
export interface SysvSetStatus {
  readonly id: number;
  /** 0 for a private set; unsigned, as ipcs(1) shows it. */
  readonly key: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  /** How many semaphores it has. */
  readonly count: number;
  /** When something was last done to it; `null` before. */
  readonly operateTime: Date | null;
  /** When it was created, or its mode, its owner or a value was set. */
  readonly changeTime: Date;
}

/** What a system allows of System V semaphores. */
export interface SysvSetLimits {
  /** Sets: SEMMNI. */
  readonly sets: number;
  /** Semaphores of all sets: SEMMNS. */
  readonly semaphores: number;
  /** Semaphores of a set: SEMMSL. */
  readonly semaphoresPerSet: number;
  /** Operations of one call: SEMOPM. */
  readonly operations: number;
  /** The highest value: SEMVMX. */
  readonly value: number;
}

/** semctl(IPC_STAT), or its -errno. */
export function readSetStatus(native: SemBinding, id: number): SysvSetStatus | number {
  const numbers = new Float64Array(9);
  const result = native.setStat(id, numbers);
  if (result < 0) return result;
  const [key = 0, mode = 0, uid = 0, gid = 0, creatorUid = 0, creatorGid = 0, count = 0] = numbers;
  return {
    id,
    key: key >>> 0,
    mode,
    uid,
    gid,
    creatorUid,
    creatorGid,
    count,
    operateTime: timeOf(numbers[7] ?? 0),
    changeTime: new Date((numbers[8] ?? 0) * 1000),
  };
}

/** The sets of this IPC namespace: /proc/sysvipc/sem, proc(5). */
export function listSets(): SysvSetStatus[] {
  const [, ...lines] = readFileSync('/proc/sysvipc/sem', 'latin1').trimEnd().split('\n');
  return lines.map((line) => {
    const [key, id, permissions, ...rest] = line.trim().split(/\s+/);
    const [count = 0, uid = 0, gid = 0, creatorUid = 0, creatorGid = 0, ...times] =
      rest.map(Number);
    return {
      id: Number(id),
      key: Number(key) >>> 0,
      mode: Number.parseInt(permissions ?? '0', 8) & 0o777,
      uid,
      gid,
      creatorUid,
      creatorGid,
      count,
      operateTime: timeOf(times[0] ?? 0),
      changeTime: new Date((times[1] ?? 0) * 1000),
    };
  });
}

/** semctl(IPC_INFO). */
export function setLimits(native: SemBinding): SysvSetLimits {
  const numbers = new Float64Array(5);
  native.setLimits(numbers);
  const [sets = 0, semaphores = 0, semaphoresPerSet = 0, operations = 0, value = 0] = numbers;
  return { sets, semaphores, semaphoresPerSet, operations, value };
}

function timeOf(seconds: number): Date | null {
  return seconds === 0 ? null : new Date(seconds * 1000);
}
