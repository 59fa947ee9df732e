import {
  firstRealTimeSignal,
  integer,
  signalNameOf,
  signalNumberOf,
  signalNumbers,
  typeError,
  valueError,
} from '@octoipc/core/kit';

/** A signal by its name. */
export type SignalName =
  NodeJS.Signals | 'SIGRTMIN' | 'SIGRTMAX' | `SIGRTMIN+${number}` | `SIGRTMAX-${number}`;

/** A signal by name (`'SIGTERM'`, `'SIGRTMIN+1'`) or number. */
export type Signal = SignalName | number;

/** The last signal that there is. */
export const SIGRTMAX = 64;

/**
 * The first real-time signal that the C library leaves to programs.
 *
 * @see signal(7)
 */
export const SIGRTMIN: number = firstRealTimeSignal();

/** The signals of this system by their names, real-time signals included. */
export const signals: Readonly<Record<string, number>> = signalNumbers();

/**
 * The number of a real-time signal.
 *
 * @param n - which one, from 0 for SIGRTMIN up; lower numbers are delivered first
 * @returns SIGRTMIN + n
 * @throws {RangeError} ERR_OUT_OF_RANGE when there are not so many
 * @example
 * ```js
 * import { rt, SIGRTMIN } from '@octoipc/signal';
 *
 * rt(1) - SIGRTMIN; //=> 1
 * ```
 * @see signal(7)
 */
export function rt(n: number): number {
  return SIGRTMIN + integer(n, 'n', 0, SIGRTMAX - SIGRTMIN);
}

/** The number of a signal that a caller has named. */
export function numberOf(signal: unknown, name = 'signal'): number {
  if (typeof signal === 'number') {
    const number = integer(signal, name, 1, SIGRTMAX);
    if (isReserved(number)) throw valueError(name, 'is one that the C library uses itself', signal);
    return number;
  }
  if (typeof signal !== 'string') throw typeError(name, "a signal's name or number", signal);
  const number = signalNumberOf(signal);
  if (number === undefined) throw valueError(name, 'must be a signal of this system', signal);
  return number;
}

/** Several signals, or one. */
export function numbersOf(list: unknown, name = 'signals'): number[] {
  if (!Array.isArray(list)) return [numberOf(list, name)];
  if (list.length === 0) throw valueError(name, 'must not be empty', list);
  return [...new Set(list.map((signal, i) => numberOf(signal, `${name}[${i}]`)))];
}

/** The name of a signal. */
export function nameOf(number: number): SignalName {
  return signalNameOf(number) as SignalName;
}

/** Whether the kernel queues each one that is sent. */
export function isRealTime(number: number): boolean {
  return number >= SIGRTMIN;
}

/** 32 and what follows, up to SIGRTMIN, are how the C library's threads reach each other. */
function isReserved(number: number): boolean {
  return number >= 32 && number < SIGRTMIN;
}
