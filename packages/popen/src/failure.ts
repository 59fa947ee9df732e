import { IpcError } from '@octoipc/core/kit';

import type { ExitStatus } from './status.js';

/** What an error of a program tells beside its code. */
export interface ProcessFailure extends IpcError {
  /** How the program has ended; null if it had not by then. */
  readonly status: ExitStatus | null;
  /** What had been collected of its stdout. */
  readonly stdout?: Buffer;
  /** The end of its stderr, where that was a pipe that nobody else has read. */
  readonly stderr?: string;
}

/** What is known of a program that failed. */
interface Findings {
  readonly label: string;
  readonly status: ExitStatus | null;
  readonly stdout?: Buffer | undefined;
  readonly stderr?: string | undefined;
  /** Why it could not be ended. */
  readonly cause?: unknown;
}

/** The longest part of stderr that a message quotes. */
const QUOTED = 2000;

const TOO_MUCH = 'raise maxBuffer, or take it as it comes: lines(), for await, or stdout.read()';

const GOES_ON = 'it goes on, since it may not be signalled: the cause tells why';

/** A program that has failed, has had too much time, or has said too much. */
export function failure(
  code: 'ERR_PROCESS_FAILED' | 'ETIMEDOUT' | 'EMSGSIZE',
  what: string,
  findings: Findings,
): ProcessFailure {
  const { label, status, stdout, stderr = '', cause } = findings;
  const said = stderr.trim().slice(-QUOTED);
  const text = said === '' ? what : `${what}: ${said}`;
  const hint = cause === undefined ? (code === 'EMSGSIZE' ? TOO_MUCH : undefined) : GOES_ON;
  const error = new IpcError(code, { text, syscall: 'popen', target: label, hint, cause });
  return Object.assign(error, {
    status,
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === '' ? {} : { stderr }),
  });
}

/** How a program has ended, in words. */
export function endingOf({ code, signal }: ExitStatus): string {
  if (signal !== null) return `ended by ${signal}`;
  return code === null ? 'ended, and somebody else has taken its status' : `exited with ${code}`;
}
