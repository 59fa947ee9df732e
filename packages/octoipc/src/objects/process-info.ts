import { readdirSync, readFileSync, statSync } from 'node:fs';

/** A process that lives. */
export interface ProcessInfo {
  readonly pid: number;
  /** The command's name, as ps(1) shows it. */
  readonly command: string;
  readonly uid: number;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
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
 * @returns what is known, or undefined when it has ended, be it that its parent has not heard of it yet
 */
export function processInfo(pid: number): ProcessInfo | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return {
      pid,
      command: text.slice(text.indexOf('(') + 1, end),
      uid: statSync(`/proc/${pid}`).uid,
      startTime: bootTime() + (Number(fields[19]) * 1000) / TICKS,
      kernelThread: (Number(fields[6]) & PF_KTHREAD) !== 0,
    };
  } catch {
    return undefined;
  }
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
