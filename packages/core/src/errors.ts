import { codeOfErrno, errnoOfCode, textOfCode } from './errno.js';

/** What an {@link IpcError} tells beside its code. */
export interface IpcErrorDetails {
  /** The call that failed, as its man page names it: `mq_send`. */
  readonly syscall?: string | undefined;
  /** What it was called on: a name, a path, a key, a pid. */
  readonly target?: string | number | undefined;
  /** The remedy, where there is one. */
  readonly hint?: string | undefined;
  /** What happened in words, in place of the code's own text. */
  readonly text?: string | undefined;
  /** How many bytes a write had handed over before it failed or was cancelled. */
  readonly bytesWritten?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error of all octoipc packages: the system said no.
 *
 * Its `code` is API, its message is not. A bad argument is a `TypeError` or `RangeError` instead.
 *
 * @example
 * ```js
 * import { IpcError, isIpcError } from '@octoipc/core';
 *
 * const error = new IpcError('EAGAIN', { syscall: 'mq_send', target: '/jobs' });
 * error.message; //=> "EAGAIN: resource temporarily unavailable, mq_send '/jobs'"
 * error.errno; //=> -11
 * isIpcError(error, 'EAGAIN'); //=> true
 * ```
 * @see errno(3)
 */
export class IpcError extends Error {
  /** The symbol of the errno (`EAGAIN`), or a code of ours (`ERR_CLOSED`). */
  readonly code: string;
  /** The errno, negative as Node has it; undefined for our own codes. */
  declare readonly errno?: number;
  declare readonly syscall?: string;
  declare readonly target?: string | number;
  declare readonly hint?: string;
  declare readonly bytesWritten?: number;

  constructor(code: string, details: IpcErrorDetails = {}) {
    const { syscall, target, hint, bytesWritten, cause } = details;
    const where = [
      ...(syscall === undefined ? [] : [syscall]),
      ...(target === undefined ? [] : [typeof target === 'string' ? `'${target}'` : target]),
    ];
    const text = details.text ?? textOfCode(code);
    super(
      `${code}: ${text}${where.length === 0 ? '' : `, ${where.join(' ')}`}`,
      cause === undefined ? undefined : { cause },
    );
    this.code = code;
    const errno = errnoOfCode(code);
    if (errno !== undefined) this.errno = errno;
    if (syscall !== undefined) this.syscall = syscall;
    if (target !== undefined) this.target = target;
    if (hint !== undefined) this.hint = hint;
    if (bytesWritten !== undefined) this.bytesWritten = bytesWritten;
  }

  override get name(): string {
    return 'IpcError';
  }

  /** An error of another copy of this package (ESM beside CJS) is an instance, too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === IpcError ? isIpcError(value) : super[Symbol.hasInstance](value);
  }
}

/**
 * Whether something that was thrown is an {@link IpcError}, of this code if one is named. Recognises
 * the errors of another copy of this package too.
 *
 * @param error - what was caught
 * @param code - the code that it must have
 * @returns true for an IpcError of that code
 */
export function isIpcError(error: unknown, code?: string): error is IpcError {
  return (
    error instanceof Error &&
    error.name === 'IpcError' &&
    'code' in error &&
    typeof error.code === 'string' &&
    (code === undefined || error.code === code)
  );
}

/** What helps whatever the call was; a package that knows more says that instead. */
const REMEDIES: Readonly<Record<string, string>> = {
  EMFILE: 'this process has too many descriptors: raise `ulimit -n` (RLIMIT_NOFILE), or close some',
  ENFILE: 'the system has too many open files: raise fs.file-max, or close some',
  ENOMEM:
    'memory or address space lacks: ask for less, or raise `ulimit -v` or the limit of the cgroup',
  ENOSYS: 'this kernel, or the sandbox that this process is in, lacks the system call',
  EROFS: 'the file system is read-only: choose another place, or remount it',
};

/** The error of a native call's negative result. */
export function errorOf(result: number, syscall: string, details: IpcErrorDetails = {}): IpcError {
  const code = codeOfErrno(result);
  const hint = details.hint ?? REMEDIES[code];
  return new IpcError(code, { syscall, ...details, hint });
}

/**
 * The value of a native call, or its error: native functions answer -errno.
 *
 * @param result - what the native function returned
 * @param syscall - the call's name
 * @param details - target and hint of the error
 * @returns the result, not negative
 */
export function check(result: number, syscall: string, details?: IpcErrorDetails): number {
  if (result < 0) throw errorOf(result, syscall, details);
  return result;
}

/** The rejection of a wait whose time is over. */
export function timeoutError(details: IpcErrorDetails): IpcError {
  return new IpcError('ETIMEDOUT', details);
}

/** Errors that several who wait on one handle are rejected with. */
const common = new WeakSet<object>();

/** What every use of a closed handle throws, and its pending waits reject with. */
export function closedError(details: IpcErrorDetails): IpcError {
  const error = new IpcError('ERR_CLOSED', details);
  common.add(error);
  return error;
}

/** What a mechanism throws that this system does not have. */
export function unsupportedError(what: string, details: IpcErrorDetails = {}): IpcError {
  return new IpcError('ERR_UNSUPPORTED', {
    text: `${what} is not supported on ${process.platform}`,
    ...details,
  });
}

/** Reasons that somebody who had written nothing was rejected with. */
const silent = new WeakSet<object>();

/**
 * The error of a cancelled operation, telling how many bytes it had handed over by then. An abort's
 * reason may be shared by many operations: the first tells on the reason itself, by `bytesWritten` if it had
 * written; those for whom that would not be true, by an `ECANCELED` of their own, whose cause it is. So does one
 * whose reason has `bytesWritten` already, or takes none.
 *
 * @param error - why it was cancelled
 * @param bytesWritten - what it had written
 * @returns what to reject with
 */
export function tellBytesWritten(error: unknown, bytesWritten: number): unknown {
  if (typeof error !== 'object' || error === null) return error;
  if (common.has(error))
    return bytesWritten === 0 ? error : copyOf(error as IpcError, bytesWritten);
  const tells = 'bytesWritten' in error;
  if (tells && error.bytesWritten === bytesWritten) return error;
  if (bytesWritten === 0 && !tells) {
    silent.add(error);
    return error;
  }
  if (tells || silent.has(error) || !Object.isExtensible(error)) {
    return abortedAt(bytesWritten, error);
  }
  return Object.assign(error, { bytesWritten });
}

function copyOf({ code, syscall, target, hint, cause }: IpcError, bytesWritten: number): IpcError {
  return new IpcError(code, { syscall, target, hint, bytesWritten, cause });
}

function abortedAt(bytesWritten: number, cause: object): IpcError {
  return new IpcError('ECANCELED', { bytesWritten, cause, text: 'the operation was aborted' });
}
