import {
  checkTimeout,
  descriptor,
  integer,
  oneOf,
  optionalBoolean,
  optionsObject,
  rangeError,
  typeError,
  valueError,
  waitOptions,
  cString,
} from '@octoipc/core/kit';

import { limitTriples, type Limits } from './limits.js';
import { noNul } from './quote.js';
import { signalNumber, type SignalName } from './signals.js';

/** A descriptor's number, or a handle that has one: a pipe's end, a FileHandle, a socket of ours. */
export type DescriptorLike = number | { readonly fd: number };

/** How a program is started, and when it is ended. */
export interface StartOptions {
  /** The directory in which it starts. @default the parent's */
  readonly cwd?: string | undefined;
  /** All of its environment. @default the parent's */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Further descriptors of the child, 0 to 255, by its number: `{ 3: handle }`. A non-blocking pipe
   * arrives in blocking mode. Beside these, 0, 1 and 2 the child has no others.
   */
  readonly fds?: Readonly<Record<number, DescriptorLike>> | undefined;
  /** Ends it when aborted; what waits for it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The time that it has, in milliseconds. @default Infinity */
  readonly timeout?: number | undefined;
  /** What ends it. @default 'SIGTERM' */
  readonly killSignal?: SignalName | number | undefined;
  /** How long after `killSignal` SIGKILL follows, in milliseconds. @default 100 */
  readonly killAfter?: number | undefined;
  /** A failure rejects, with the end of stderr, which is then a pipe by default. @default false */
  readonly check?: boolean | undefined;
  /** A process group of its own, all of which every kill reaches. @default true */
  readonly group?: boolean | undefined;
  /** It is killed when this process ends, however that ends, and so is its group. @default false */
  readonly dieWithParent?: boolean | undefined;
  /** RLIMIT_*: `{ nofile: 64, cpu: { soft: 1, hard: 2 } }`. @default the parent's */
  readonly limits?: Limits | undefined;
  /** Its niceness, -20 to 19. @default the parent's */
  readonly nice?: number | undefined;
  /** The most that is collected of an output, in bytes; more ends the program. @default 268435456 */
  readonly maxBuffer?: number | undefined;
}

/** What `popen` takes. */
export interface PopenOptions extends StartOptions {
  /**
   * Where its stderr goes: to the parent's, to a pipe, nowhere, or where its stdout goes.
   *
   * @default 'inherit'
   */
  readonly stderr?: 'inherit' | 'pipe' | 'ignore' | 'stdout' | undefined;
}

/** The options as they are used: checked, with their defaults. */
export interface Settings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly fds: readonly (readonly [target: number, fd: number])[];
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly killSignal: number;
  readonly killAfter: number;
  readonly check: boolean;
  readonly group: boolean;
  readonly dieWithParent: boolean;
  readonly limits: ReturnType<typeof limitTriples>;
  readonly nice: number | undefined;
  readonly maxBuffer: number;
  readonly stderr: 'inherit' | 'pipe' | 'ignore' | 'stdout' | undefined;
}

const HIGHEST_FD = 255;
const MAX_BUFFER = 256 * 1024 * 1024;
const KILL_AFTER = 100;
const STDERR = ['inherit', 'pipe', 'ignore', 'stdout'] as const;

/** Checks the options. */
export function settingsOf(options: PopenOptions | undefined): Settings {
  const given = optionsObject<PopenOptions>(options);
  const { cwd, env, fds, signal, timeout, killSignal, killAfter, check, group } = given;
  const { dieWithParent, limits, nice, maxBuffer, stderr } = given;
  waitOptions({ signal, timeout });
  const settings: Settings = {
    cwd: cwd === undefined ? '' : cString(cwd, 'options.cwd'),
    env: env === undefined ? undefined : checkEnv(env),
    fds: fds === undefined ? [] : descriptorsOf(fds),
    signal,
    timeout: timeout ?? Infinity,
    killSignal: signalNumber(killSignal ?? 'SIGTERM', 'options.killSignal'),
    killAfter: milliseconds(killAfter, 'options.killAfter') ?? KILL_AFTER,
    check: optionalBoolean(check, 'options.check') ?? false,
    group: optionalBoolean(group, 'options.group') ?? true,
    dieWithParent: optionalBoolean(dieWithParent, 'options.dieWithParent') ?? false,
    limits: limitTriples(limits),
    nice: nice === undefined ? undefined : integer(nice, 'options.nice', -20, 19),
    maxBuffer: maxBuffer === undefined ? MAX_BUFFER : size(maxBuffer),
    stderr: stderr === undefined ? undefined : oneOf(stderr, 'options.stderr', STDERR),
  };
  signal?.throwIfAborted();
  return settings;
}

/** A time that may be left out. */
export function milliseconds(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw typeError(name, 'a number', value);
  if (!(value >= 0)) throw rangeError(name, 'milliseconds from 0 up', value);
  checkTimeout(value);
  return value;
}

function size(maxBuffer: unknown): number {
  return maxBuffer === Infinity ? Infinity : integer(maxBuffer, 'options.maxBuffer');
}

/** As it is now: what was checked is what is used. */
function checkEnv(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const entries = Object.entries(optionsObject(env, 'options.env'));
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    cString(name, 'a name in options.env');
    if (name.includes('=')) throw valueError('a name in options.env', "must not contain '='", name);
    noNul(value, `options.env.${name}`);
  }
  return Object.fromEntries(entries);
}

function descriptorsOf(fds: Readonly<Record<number, DescriptorLike>>): [number, number][] {
  return Object.entries(optionsObject(fds, 'options.fds')).map(([key, given]) => {
    const target = integer(
      /^\d+$/.test(key) ? Number(key) : key,
      'a key of options.fds',
      0,
      HIGHEST_FD,
    );
    const name = `options.fds[${key}]`;
    if (typeof given === 'number') return [target, descriptor(given, name)];
    if (typeof given !== 'object' || given === null || !('fd' in given)) {
      throw typeError(name, 'a descriptor or a handle', given);
    }
    return [target, descriptor(given.fd, `${name}.fd`)];
  });
}
