import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Polls until it is so; the test's own time is the watchdog. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(1);
}

function fdinfo(fd: number, field: string, pid: number | 'self'): string {
  const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
  return new RegExp(`^${field}:\\s*(\\S+)$`, 'm').exec(info)![1]!;
}

/** Flags of a descriptor that `constants` of node:fs lacks; octal as open(2) has them on Linux. */
export const CLOEXEC = 0o2000000;

/** The access mode and status flags of a descriptor, close-on-exec with them. */
export function flagsOf(fd: number, pid: number | 'self' = 'self'): number {
  return Number.parseInt(fdinfo(fd, 'flags', pid), 8);
}

/** Where the next read or write of a descriptor begins. */
export function positionOf(fd: number, pid: number | 'self' = 'self'): number {
  return Number(fdinfo(fd, 'pos', pid));
}

/** The open descriptors of a process by number: what each stands for. */
export function descriptors(pid: number | 'self' = 'self'): Map<number, string> {
  const open = new Map<number, string>();
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      open.set(Number(name), readlinkSync(`/proc/${pid}/fd/${name}`));
    } catch {
      // The listing's own descriptor is closed by now.
    }
  }
  return open;
}

/** How many descriptors of a process are ends of this pipe, or of any. */
export function pipeEnds(link = 'pipe:', pid: number | 'self' = 'self'): number {
  return [...descriptors(pid).values()].filter((target) => target.startsWith(link)).length;
}

/** Whose numbers of system calls /proc has: an emulator of another processor makes those of the machine. */
export const KERNEL = process.env['OCTOIPC_KERNEL'] ?? process.arch;

/** System calls by their number, as /proc/PID/syscall has them. */
const CALLS: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  x64: { read: [0], write: [1], poll: [7, 271], semop: [65, 220], msgrcv: [70], futex: [202] },
  arm64: { read: [63], write: [64], poll: [73], semop: [193, 192], msgrcv: [188], futex: [98] },
};

/** Waits until a thread of a process sleeps in this system call. */
export function sleepingIn(call: string, pid: number | 'self', tid?: number): Promise<void> {
  const numbers = CALLS[KERNEL]?.[call];
  if (numbers === undefined) throw new Error(`no number of ${call} on ${KERNEL} is known`);
  const file = `/proc/${pid}/${tid === undefined ? '' : `task/${tid}/`}syscall`;
  return until(() => numbers.includes(Number.parseInt(readFileSync(file, 'latin1'), 10)));
}

/** Waits until a process has ended, or is a zombie. */
export function gone(pid: number): Promise<void> {
  return until(() => {
    try {
      return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    } catch {
      return true;
    }
  });
}

/** The threads of this process that bear this name. */
export function threadsNamed(name: string): number[] {
  return readdirSync('/proc/self/task')
    .map(Number)
    .filter((tid) => {
      try {
        return readFileSync(`/proc/self/task/${tid}/comm`, 'utf8').trim() === name;
      } catch {
        return false;
      }
    });
}
