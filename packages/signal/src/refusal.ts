import { constants } from 'node:os';

import { valueError } from '@octoipc/core/kit';

import { nameOf } from './names.js';

const {
  SIGKILL,
  SIGSTOP,
  SIGPROF,
  SIGSEGV,
  SIGBUS,
  SIGFPE,
  SIGILL,
  SIGTRAP,
  SIGSYS,
  SIGABRT,
  SIGCHLD,
} = constants.signals;

const UNTOUCHABLE = 'cannot be caught, blocked or ignored: the kernel acts on it';
const FAULT = 'is how the processor reports a fault of the thread, which cannot go on without';
const PROFILER = "is how V8's profiler samples threads";
const ABORT = 'is how abort(3) ends the process';

/** What the kernel or the runtime keeps for itself, each with the reason. */
const KEPT: ReadonlyMap<number, string> = new Map([
  [SIGKILL, UNTOUCHABLE],
  [SIGSTOP, UNTOUCHABLE],
  [SIGPROF, PROFILER],
  [SIGABRT, ABORT],
  ...[SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS].map((fault) => [fault, FAULT] as const),
]);

/** Refuses what cannot be watched, blocked or have its disposition changed. */
export function checkOurs(numbers: readonly number[], name: string): void {
  for (const number of numbers) {
    const reason = KEPT.get(number);
    if (reason !== undefined) throw valueError(name, reason, nameOf(number));
  }
}

/** Refuses to ignore what the runtime lives by. */
export function checkIgnorable(number: number): void {
  checkOurs([number], 'signal');
  if (number !== SIGCHLD) return;
  const reason = 'must not be ignored: child_process would never learn how its children ended';
  throw valueError('signal', reason, nameOf(number));
}
