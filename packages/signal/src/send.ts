import {
  errorOf,
  integer,
  rangeError,
  typeError,
  unsupportedError,
  valueError,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { numberOf, type Signal } from './names.js';
import { ProcessHandle } from './process-handle.js';
import { sent } from './sent.js';
import { wordsOfValue, type SendOptions } from './value.js';

/** The most that the kernel has. */
const PID_MAX = 2 ** 31 - 1;

/**
 * Sends a signal to one process. With a value it is queued, and arrives with it.
 *
 * @param target - a process's id, or its handle, which cannot be somebody else's by now
 * @param signal - by name or number
 * @param options - `value`: what goes with it
 * @throws {IpcError} ESRCH when there is no such process; EPERM when it is another user's; EAGAIN when as
 *   many signals are queued as the receiver's user may have
 * @throws {RangeError} ERR_OUT_OF_RANGE for 0 and negative numbers, which kill(2) takes for groups and for
 *   everyone (`sendGroup` is for groups), and for 1 (`openProcess(1).send` is meant)
 * @example
 * ```js
 * import { send, watch } from '@octoipc/signal';
 *
 * const watcher = watch('SIGRTMIN');
 * send(process.pid, 'SIGRTMIN', { value: -7 });
 * (await watcher.wait()).value; //=> -7
 * watcher.close();
 * ```
 * @see kill(2)
 * @see sigqueue(3)
 */
export function send(target: number | ProcessHandle, signal: Signal, options?: SendOptions): void {
  if (target instanceof ProcessHandle) {
    target.send(signal, options);
    return;
  }
  if (typeof target !== 'number') throw typeError('target', 'a pid or a ProcessHandle', target);
  if (!Number.isInteger(target) || target < 2 || target > PID_MAX) {
    throw rangeError(
      'target',
      `a pid from 2 to ${PID_MAX} (a group: sendGroup; init: openProcess(1).send)`,
      target,
    );
  }
  const number = numberOf(signal);
  const words = wordsOfValue(options);
  if (words === undefined) sent(binding().kill(target, number), 'kill', target);
  else sent(binding().queue(target, number, words.low, words.high), 'sigqueue', target);
}

/**
 * Sends a signal to all processes of a group.
 *
 * @param pgid - the group's id; 0 is the group of this process, itself included
 * @param signal - by name or number
 * @param options - `value`: what goes with it (Linux 6.9 or later, and the group's leader must be there)
 * @throws {IpcError} ESRCH when there is nobody in it; EPERM when not one of them may be signalled
 * @throws {RangeError} ERR_OUT_OF_RANGE for negative numbers, and for 1: kill(2) would take it for everyone
 * @see killpg(3)
 */
export function sendGroup(pgid: number, signal: Signal, options?: SendOptions): void {
  integer(pgid, 'pgid', 0, PID_MAX);
  if (pgid === 1) throw rangeError('pgid', 'no 1, by which kill(2) means every process', pgid);
  const number = numberOf(signal);
  const words = wordsOfValue(options);
  if (words === undefined) {
    sent(binding().killGroup(pgid, number), 'killpg', pgid);
    return;
  }
  if (pgid === 0) throw valueError('pgid', 'must be named where a value is sent', pgid);
  const native = binding();
  const leader = native.openProcess(pgid);
  if (leader < 0) throw errorOf(leader, 'pidfd_open', { target: pgid });
  const result = native.sendByDescriptor(leader, number, true, words.low, words.high, true);
  native.close(leader);
  if (result < 0 && errorOf(result, 'pidfd_send_signal').code === 'EINVAL') {
    throw unsupportedError('sending a value to a group', { hint: 'it needs Linux 6.9 or later' });
  }
  sent(result, 'pidfd_send_signal', pgid);
}

/**
 * Sends a signal to one thread of a process.
 *
 * @param tgid - the process's id
 * @param tid - the thread's id
 * @param signal - by name or number
 * @param options - `value`: what goes with it
 * @throws {IpcError} ESRCH when that process has no such thread; EPERM; EAGAIN as for `send`
 * @see tgkill(2)
 */
export function sendThread(tgid: number, tid: number, signal: Signal, options?: SendOptions): void {
  integer(tgid, 'tgid', 1, PID_MAX);
  integer(tid, 'tid', 1, PID_MAX);
  const number = numberOf(signal);
  const words = wordsOfValue(options);
  if (words === undefined) {
    sent(binding().killThread(tgid, tid, number), 'tgkill', tid);
  } else {
    const result = binding().queueToThread(tgid, tid, number, words.low, words.high);
    sent(result, 'rt_tgsigqueueinfo', tid);
  }
}

/**
 * Whether there is a process of this id: also one of another user's, and one that has ended and was not
 * waited for yet.
 *
 * @param pid - its id
 * @returns true if there is
 * @see kill(2)
 */
export function exists(pid: number): boolean {
  integer(pid, 'pid', 1, PID_MAX);
  const result = binding().kill(pid, 0);
  if (result >= 0) return true;
  const error = errorOf(result, 'kill', { target: pid });
  if (error.code === 'EPERM') return true;
  if (error.code === 'ESRCH') return false;
  throw error;
}

/**
 * The kernel's id of the calling thread, for `sendThread`.
 *
 * @returns the id
 * @see gettid(2)
 */
export function threadId(): number {
  return binding().threadId();
}
