import type Os from 'node:os';
import type Util from 'node:util';

/** Node's tables, which are made when the first error is: importing a package does not pay for them. */
const errnos = (): typeof Os.constants.errno => (require('node:os') as typeof Os).constants.errno;

/** Codes that Node's own tables lack or spell twice, by errno on Linux. */
const MORE: Readonly<Record<number, readonly [code: string, text: string]>> = {
  10: ['ECHILD', 'no child processes'],
  33: ['EDOM', 'numerical argument out of domain'],
  35: ['EDEADLK', 'resource deadlock avoided'],
  37: ['ENOLCK', 'no locks available'],
  8: ['ENOEXEC', 'exec format error'],
  42: ['ENOMSG', 'no message of desired type'],
  43: ['EIDRM', 'identifier removed'],
  60: ['ENOSTR', 'device not a stream'],
  62: ['ETIME', 'timer expired'],
  63: ['ENOSR', 'out of streams resources'],
  67: ['ENOLINK', 'link has been severed'],
  72: ['EMULTIHOP', 'multihop attempted'],
  74: ['EBADMSG', 'bad message'],
  95: ['EOPNOTSUPP', 'operation not supported'],
  102: ['ENETRESET', 'network dropped connection on reset'],
  109: ['ETOOMANYREFS', 'too many descriptors are on their way'],
  115: ['EINPROGRESS', 'operation now in progress'],
  116: ['ESTALE', 'stale file handle'],
  122: ['EDQUOT', 'disk quota exceeded'],
  130: ['EOWNERDEAD', 'owner died'],
  131: ['ENOTRECOVERABLE', 'state not recoverable'],
};

/** POSIX lets these share a number with the code that is reported. */
const ALIASES: ReadonlySet<string> = new Set(['EWOULDBLOCK', 'EOPNOTSUPP', 'EDEADLOCK']);

let reversed: Map<number, string> | undefined;

function codes(): ReadonlyMap<number, string> {
  if (reversed !== undefined) return reversed;
  reversed = new Map();
  for (const [code, number] of Object.entries(errnos())) {
    if (!ALIASES.has(code)) reversed.set(number, code);
  }
  return reversed;
}

/** Codes of our own, and those whose text elsewhere speaks of connections. */
const OWN: Readonly<Record<string, string>> = {
  ETIMEDOUT: 'timed out',
  ERR_CLOSED: 'the handle is closed',
  ERR_TRUNCATED: 'the stream ended inside a message',
  ERR_UNSUPPORTED: 'not supported here',
  ERR_FDS_TRUNCATED: 'more descriptors came than were asked for',
};

let systemErrors: Map<number, [name: string, text: string]> | undefined;

/** Node makes a new map at each call, which takes longer than most system calls. */
function known(errno: number): [name: string, text: string] | undefined {
  systemErrors ??= (require('node:util') as typeof Util).getSystemErrorMap();
  return systemErrors.get(errno);
}

/** What a native call answers that would have to wait: -EAGAIN. */
export const AGAIN: number = process.platform === 'linux' ? -11 : -errnos().EAGAIN;

/** What a native call answers, negative, that the system does not have: platform.h of the bindings. */
const NOT_ON_THIS_SYSTEM = 4095;

/** The symbol of an errno: 11 is 'EAGAIN'. */
export function codeOfErrno(errno: number): string {
  const number = Math.abs(errno);
  if (number === NOT_ON_THIS_SYSTEM) return 'ERR_UNSUPPORTED';
  return known(-number)?.[0] ?? codes().get(number) ?? MORE[number]?.[0] ?? `E${number}`;
}

/** The errno of a symbol, negative as Node has it, or undefined for a code that is not the system's. */
export function errnoOfCode(code: string): number | undefined {
  const number = (errnos() as Readonly<Record<string, number>>)[code];
  if (number !== undefined) return -number;
  for (const [errno, [more]] of Object.entries(MORE)) if (more === code) return -Number(errno);
  return undefined;
}

/** What a code means, in words. */
export function textOfCode(code: string): string {
  const own = OWN[code];
  if (own !== undefined) return own;
  const errno = errnoOfCode(code);
  if (errno === undefined) return 'unknown error';
  return known(errno)?.[1] ?? MORE[-errno]?.[1] ?? 'unknown error';
}
