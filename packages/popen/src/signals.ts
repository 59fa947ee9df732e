import { constants } from 'node:os';

import {
  integer,
  LAST_SIGNAL,
  signalNameOf,
  signalNumberOf,
  typeError,
  valueError,
} from '@octoipc/core/kit';

/** A signal by its name (`SIGTERM`, `SIGRTMIN+1`). */
export type SignalName =
  NodeJS.Signals | 'SIGRTMIN' | 'SIGRTMAX' | `SIGRTMIN+${number}` | `SIGRTMAX-${number}`;

export const SIGKILL: number = constants.signals.SIGKILL;
export const SIGCONT: number = constants.signals.SIGCONT;

/** The number of a signal that a caller has named. */
export function signalNumber(signal: unknown, name: string): number {
  if (typeof signal === 'number') return integer(signal, name, 1, LAST_SIGNAL);
  if (typeof signal !== 'string') throw typeError(name, "a signal's name or number", signal);
  const number = signalNumberOf(signal);
  if (number === undefined) throw valueError(name, 'must be a signal of this system', signal);
  return number;
}

/** The name of a signal that has ended a process. */
export function signalName(number: number): SignalName {
  return signalNameOf(number) as SignalName;
}
