import { readdirSync, readFileSync, statSync } from 'node:fs';

import { pidInUse } from '@octoipc/core/kit';

/** A process that lives. */
export interface ProcessInfo {
  readonly pid: number;
  /** The command's name, as ps(1) shows it. */
  readonly command: string;
  readonly uid: number;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  /** Clock ticks after the boot. */
  readonly startTicks: number;
  /** Whether it is a part of the kernel, which has nothing open. */
  readonly kernelThread: boolean;
}

/** The unit of times in /proc/PID/stat, which is the same on all platforms: USER_HZ. */
const TICKS = 100;
/** Of the flags in /proc/PID/stat. */
const PF_KTHREAD = 0x0020_0000;

let boot: number | undefined;

/**
 * What a process is.
 *
 * @param pid - its number
 * @returns what is known, or undefined when it has ended, be it that its parent has not heard of it yet, or /proc
 *   hides it
 */
export function processInfo(pid: number): ProcessInfo | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    const startTicks = Number(fields[19]);
    return {
      pid,
      command: text.slice(text.indexOf('(') + 1, end),
      uid: userOf(pid),
      startTime: bootTime() + (startTicks * 1000) / TICKS,
      startTicks,
      kernelThread: (Number(fields[6]) & PF_KTHREAD) !== 0,
    };
  } catch {
    return undefined;
  }
}

/**
 * The user of a process.
 *
 * @throws what the system says of one that has ended, or that /proc hides
 */
export function userOf(pid: number): number {
  try {
    // The folder itself is root's where others may not look at the process: prctl(2), PR_SET_DUMPABLE.
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^Uid:\t\d+\t(\d+)/m.exec(status)![1]);
  } catch {
    return statSync(`/proc/${pid}`).uid;
  }
}

/**
 * Whether the process that has started then, and had this pid, still lives.
 *
 * @param pid - its number
 * @param start - the low 32 bits of when it has started, in clock ticks after the boot
 */
export function livesSince(pid: number, start: number): boolean {
  const info = processInfo(pid);
  if (info !== undefined) return info.startTicks % 2 ** 32 === start;
  return isHidden(pid);
}

/** Whether a process lives of which /proc tells nothing: it may hide those of other users. */
export function isHidden(pid: number): boolean {
  return pid > 0 && pidInUse(pid) && processInfo(pid) === undefined && !isZombie(pid);
}

/** Whether a process has ended, and its parent has not asked how. */
export function isZombie(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

/** The entries of a folder that are numbers. */
export function numericEntries(folder: string): number[] {
  return readdirSync(folder)
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

function bootTime(): number {
  boot ??= Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0) * 1000;
  return boot;
}
