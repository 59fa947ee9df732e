import { optionalBoolean, valueError } from '@octoipc/core/kit';

import type { ChannelOptions, ReceiverOptions, SenderOptions } from './options.js';
import { EXAMPLES, type BuiltIn } from './registry.js';

type Option = keyof ReceiverOptions | keyof SenderOptions;

/** What every scheme takes; `create` where nothing can be missing, too. */
const ALWAYS: ReadonlySet<string> = new Set<Option>(['signal', 'timeout', 'create']);

/** What concerns only a thing that is made. */
const OF_NEW: readonly Option[] = ['mode', 'temporary', 'maxMessages', 'capacity'];

/** How a scheme treats `multipleSenders`: as an option of its own, or one answer that always holds. */
export type Senders = 'option' | 'one' | 'many';

/**
 * Refuses what a scheme cannot honour.
 *
 * @param scheme - its name
 * @param options - what was given
 * @param takes - what it can honour, beside what every scheme takes
 * @param senders - whether it has one sender or many
 * @throws {TypeError} ERR_INVALID_ARG_VALUE naming the option
 */
export function checkOptions(
  scheme: BuiltIn,
  options: ChannelOptions,
  takes: readonly Option[],
  senders: Senders,
): void {
  optionalBoolean(options.create, 'options.create');
  for (const [name, value] of Object.entries(options) as [Option, unknown][]) {
    if (value === undefined || ALWAYS.has(name)) continue;
    if (name === 'multipleSenders') checkSenders(scheme, value, senders);
    else if (!takes.includes(name)) {
      throw valueError(`options.${name}`, `is nothing that '${scheme}:' can honour`, value);
    }
  }
}

function checkSenders(scheme: BuiltIn, value: unknown, senders: Senders): void {
  const several = optionalBoolean(value, 'options.multipleSenders');
  if (senders === 'option' || several === (senders === 'many')) return;
  const reason =
    senders === 'many'
      ? `cannot be false: anybody may send to '${scheme}:'`
      : `cannot be true: '${scheme}:' has one sender`;
  throw valueError('options.multipleSenders', reason, value);
}

/** Refuses what concerns a thing that is made, where nothing is to be made. */
export function checkCreation(options: ChannelOptions): void {
  if (options.create === true || options.temporary === true) return;
  const named = options as Readonly<Record<string, unknown>>;
  for (const name of OF_NEW) {
    if (named[name] === undefined || name === 'temporary') continue;
    throw valueError(`options.${name}`, 'is of a thing that is made: set create', named[name]);
  }
}

/** What of a URL is behind its scheme's colon. */
export function restOf(url: string): string {
  return url.slice(url.indexOf(':') + 1);
}

/** A URL as it may be printed: credentials may not, wherever whoever wrote it thought that they end. */
export function shownUrl(url: string): string {
  return url.replace(/^([^:/]*:\/\/).*@/s, '$1');
}

/** A URL that is none, with the reason and a good one. */
export function badUrl(scheme: BuiltIn, url: string, reason: string): Error {
  return valueError('url', `${reason}, as in '${EXAMPLES[scheme]}'`, shownUrl(url));
}

/** The name of a POSIX object: a slash, and then no other. */
export function posixName(scheme: BuiltIn, url: string): string {
  const name = restOf(url);
  if (!/^\/[^/\0]+$/.test(name) || name === '/.' || name === '/..') {
    throw badUrl(scheme, url, 'must have a name of a slash and then no other');
  }
  return name;
}

/** A path, as the system takes it. */
export function pathOf(scheme: BuiltIn, url: string): string {
  const path = restOf(url);
  if (path === '' || path.includes('\0')) {
    throw badUrl(scheme, url, 'must have a path, without NUL');
  }
  if (path.startsWith('//')) {
    throw badUrl(scheme, url, 'has its path right behind the colon, without a host');
  }
  return path;
}

/** An object without the members that are undefined. */
export function given<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as never;
}
