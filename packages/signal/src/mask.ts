import { check } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { numberOf, numbersOf, type Signal, type SignalName } from './names.js';
import { checkIgnorable, checkOurs } from './refusal.js';
import { namesOf, wordsOf } from './set.js';

function words(signals: unknown): readonly [low: number, high: number] {
  const numbers = numbersOf(signals);
  checkOurs(numbers, 'signals');
  const [low, high] = wordsOf(numbers);
  return [low!, high!];
}

/**
 * The calling thread blocks these signals: they stay pending until it unblocks them, or takes them by `wait`,
 * `waitSync` or `watch`. Threads that are not JavaScript's (libuv's pool, V8's helpers) block them as well, since
 * the kernel would hand them what is sent to the process; the main thread and workers have each a mask of
 * their own.
 *
 * @param signals - one or several
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it cannot be blocked, or is none of this system
 * @example
 * ```js
 * import { block, pending, send, unblock, waitSync } from '@octoipc/signal';
 *
 * block('SIGUSR2');
 * send(process.pid, 'SIGUSR2');
 * pending(); //=> ['SIGUSR2']
 * waitSync('SIGUSR2').pid === process.pid; //=> true
 * unblock('SIGUSR2');
 * ```
 * @see sigprocmask(2)
 */
export function block(signals: Signal | readonly Signal[]): void {
  check(binding().block(...words(signals)), 'sigprocmask');
}

/**
 * The calling thread blocks these signals no longer; what was pending is delivered.
 *
 * @param signals - one or several
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is none of this system, or kept by the runtime
 * @see sigprocmask(2)
 */
export function unblock(signals: Signal | readonly Signal[]): void {
  check(binding().unblock(...words(signals)), 'sigprocmask');
}

/**
 * What the calling thread has blocked.
 *
 * @returns names, by number; not what is blocked for the sake of watchers
 * @see sigprocmask(2)
 */
export function blocked(): SignalName[] {
  const set = new Int32Array(2);
  check(binding().blocked(set), 'sigprocmask');
  return namesOf(set);
}

/**
 * What was sent to the calling thread or the process, and waits since it is blocked.
 *
 * @returns names, by number
 * @see sigpending(2)
 */
export function pending(): SignalName[] {
  const set = new Int32Array(2);
  check(binding().pending(set), 'sigpending');
  return namesOf(set);
}

const LISTENERS = 'process.on() or a native module handles it: remove those listeners first';

/**
 * The process ignores a signal from now on. Watchers are told all the same.
 *
 * @param signal - by name or number
 * @throws {IpcError} EBUSY when `process.on` has listeners for it, or a native module
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it cannot be ignored
 * @see sigaction(2)
 */
export function ignore(signal: Signal): void {
  const number = numberOf(signal);
  checkIgnorable(number);
  busy(binding().ignore(number), signal);
}

/**
 * A signal does what it does by default, once nobody watches it.
 *
 * @param signal - by name or number
 * @throws {IpcError} EBUSY when `process.on` has listeners for it, or a native module
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is none of this system, or kept by the runtime
 * @see sigaction(2)
 */
export function restoreDefault(signal: Signal): void {
  const number = numberOf(signal);
  checkOurs([number], 'signal');
  busy(binding().restoreDefault(number), signal);
}

function busy(result: number, target: Signal): void {
  check(result, 'sigaction', { target, hint: LISTENERS });
}
