import { readFileSync } from 'node:fs';

import type { MqBinding } from './binding.js';

/** A process that has used a queue. */
export interface LastUser {
  readonly pid: number;
  /** Whether a process with this pid lives now; it may be a later one. */
  readonly alive: boolean;
}

/** What a System V queue is, and who used it last. */
export interface SysvQueueStatus {
  readonly id: number;
  /** 0 for a private queue; unsigned, as ipcs(1) shows it. */
  readonly key: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  /** Bytes of all messages. */
  readonly bytes: number;
  readonly messages: number;
  /** The most bytes of all messages; in lists `null` where the mode does not let this user in. */
  readonly maxBytes: number;
  /** Who sent and received last; `null` before anybody did. */
  readonly lastSender: LastUser | null;
  readonly lastReceiver: LastUser | null;
  readonly lastSendTime: Date | null;
  readonly lastReceiveTime: Date | null;
  /** When it was created, or its mode, owner or size was changed. */
  readonly changeTime: Date;
}

/** A queue in a list. */
export type SysvQueueInfo = Omit<SysvQueueStatus, 'maxBytes'> & {
  readonly maxBytes: number | null;
};

/** As many numbers as `sysvStat` leaves. */
const NUMBERS = 15;

const room = new Float64Array(NUMBERS);

/** The most bytes of all messages, without all the rest; or -errno. */
export function readMaxBytes(native: MqBinding, id: number): number {
  const result = native.sysvStat(id, room);
  return result < 0 ? result : room[8]!;
}

/** msgctl(IPC_STAT), or its -errno. */
export function readStatus(native: MqBinding, id: number): SysvQueueStatus | number {
  const numbers = new Float64Array(NUMBERS);
  const result = native.sysvStat(id, numbers);
  if (result < 0) return result;
  const [key = 0, mode = 0, uid = 0, gid = 0, creatorUid = 0, creatorGid = 0] = numbers;
  const [bytes = 0, messages = 0, maxBytes = 0, sender = 0, receiver = 0, sent = 0, received = 0] =
    numbers.subarray(6);
  return {
    id,
    key: key >>> 0,
    mode,
    uid,
    gid,
    creatorUid,
    creatorGid,
    bytes,
    messages,
    maxBytes,
    lastSender: userOf(sender),
    lastReceiver: userOf(receiver),
    lastSendTime: timeOf(sent),
    lastReceiveTime: timeOf(received),
    changeTime: new Date((numbers[13] ?? 0) * 1000),
  };
}

/** The queues of this IPC namespace: /proc/sysvipc/msg, proc(5). */
export function listSysv(native: MqBinding): SysvQueueInfo[] {
  const [, ...lines] = readFileSync('/proc/sysvipc/msg', 'latin1').trimEnd().split('\n');
  return lines.map((line) => {
    const [key, id, permissions, ...rest] = line.trim().split(/\s+/);
    const [bytes = 0, messages = 0, sender = 0, receiver = 0, ...more] = rest.map(Number);
    const [uid = 0, gid = 0, creatorUid = 0, creatorGid = 0, sent = 0, received = 0, changed = 0] =
      more;
    const known = readStatus(native, Number(id));
    return {
      id: Number(id),
      key: Number(key) >>> 0,
      mode: Number.parseInt(permissions ?? '0', 8) & 0o777,
      uid,
      gid,
      creatorUid,
      creatorGid,
      bytes,
      messages,
      maxBytes: typeof known === 'number' ? null : known.maxBytes,
      lastSender: userOf(sender),
      lastReceiver: userOf(receiver),
      lastSendTime: timeOf(sent),
      lastReceiveTime: timeOf(received),
      changeTime: new Date(changed * 1000),
    };
  });
}

function userOf(pid: number): LastUser | null {
  return pid === 0 ? null : { pid, alive: isAlive(pid) };
}

/** A zombie has done all that it ever will. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

function timeOf(seconds: number): Date | null {
  return seconds === 0 ? null : new Date(seconds * 1000);
}
