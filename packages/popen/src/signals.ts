import { constants } from 'node:os';

import { integer, typeError, valueError } from '@octoipc/core/kit';

/** A signal by name (`SIGTERM`, `SIGRTMIN+1`) or number. */
export type SignalName = NodeJS.Signals | `SIGRTMIN+${number}`;

const NUMBERS: Readonly<Record<string, number>> = constants.signals;

/** The C library keeps the kernel's first two real-time signals for itself. */
const FIRST_REAL_TIME = 34;
const LAST_SIGNAL = 64;

const NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(NUMBERS)) {
  if (!NAMES.has(number)) NAMES.set(number, name);
}

export const SIGKILL: number = constants.signals.SIGKILL;
export const SIGCONT: number = constants.signals.SIGCONT;

/** The number of a signal that a caller has named. */
export function signalNumber(signal: unknown, name: string): number {
  if (typeof signal === 'number') return integer(signal, name, 1, LAST_SIGNAL);
  if (typeof signal !== 'string') throw typeError(name, "a signal's name or number", signal);
  const known = NUMBERS[signal];
  if (known !== undefined) return known;
  const distance = /^SIGRTMIN\+(\d+)$/.exec(signal)?.[1];
  const number = FIRST_REAL_TIME + Number(distance ?? (signal === 'SIGRTMIN' ? 0 : NaN));
  if (!(number <= LAST_SIGNAL)) throw valueError(name, 'must be a signal of this system', signal);
  return number;
}

/** The name of a signal that has ended a process. */
export function signalName(number: number): SignalName {
  const name = NAMES.get(number) ?? `SIGRTMIN+${number - FIRST_REAL_TIME}`;
  return name as SignalName;
}
