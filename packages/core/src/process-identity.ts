import { readFileSync, readlinkSync } from 'node:fs';

import { fileCall } from './record-folder.js';

/** What tells a process from every other one, earlier and later, of this and other boots. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after the boot at which it started: /proc/PID/task/PID/stat, field 22. */
  readonly startTime: string;
  readonly bootId: string;
  /** The pid namespace in which `pid` means this process. */
  readonly pidNamespace: string;
}

/** Whether a process lives: `unknown` where its pid means nothing here. */
export type Liveness = 'alive' | 'dead' | 'unknown';

let own: ProcessIdentity | undefined;

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  if (own?.pid !== process.pid) {
    own = {
      pid: process.pid,
      startTime: statOf(process.pid)?.startTime ?? '0',
      bootId: bootId(),
      pidNamespace: pidNamespace(),
    };
  }
  return own;
}

/** Whether the process with this identity lives; a zombie is dead: it holds and does nothing more. */
export function livenessOf(identity: ProcessIdentity): Liveness {
  if (identity.bootId !== bootId()) return 'dead';
  if (identity.pidNamespace !== pidNamespace()) return 'unknown';
  let stat: ReturnType<typeof statOf>;
  try {
    stat = statOf(identity.pid);
  } catch {
    return 'unknown'; // Too many descriptors, or /proc hides it.
  }
  if (stat === undefined || stat.startTime !== identity.startTime) return 'dead';
  return stat.state === 'Z' || stat.state === 'X' ? 'dead' : 'alive';
}

/** Whether any process has this pid now, be it another one than it was; /proc may hide it (hidepid). */
export function pidInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH';
  }
}

function bootId(): string {
  const path = '/proc/sys/kernel/random/boot_id';
  return fileCall(path, () => readFileSync(path, 'utf8')).trim();
}

function pidNamespace(): string {
  const path = '/proc/self/ns/pid';
  return fileCall(path, () => readlinkSync(path));
}

/**
 * State and start time; the command's name, which may hold anything, stands in parentheses before. Those of the first
 * thread are the process's: an emulator (qemu-user) makes up a process's own /proc/PID/stat, with another start time.
 */
function statOf(pid: number): { state: string; startTime: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'latin1');
  } catch (error) {
    const { code } = error as { code?: string };
    if ((code === 'ENOENT' || code === 'ESRCH') && !pidInUse(pid)) return undefined;
    throw error;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}
