import type { WaitOptions } from '@octoipc/core';
import { optionsObject, typeError, valueError } from '@octoipc/core/kit';

import { Datagram } from './datagram.js';
import type { FdSource } from './fds.js';
import type { AbstractAddress, PathAddress } from './sockaddr.js';

/** What `notify` takes. */
export interface NotifyOptions extends WaitOptions {
  /** Descriptors for the manager to keep, with `FDSTORE=1`. */
  readonly fds?: readonly FdSource[];
}

/**
 * Tells the service manager how this process is: `READY=1`, `STATUS=…`, `WATCHDOG=1`, `STOPPING=1`.
 *
 * @param state - lines of `NAME=value`, or an object of them
 * @param options - descriptors, and how long to wait for a manager that is busy
 * @returns false where no manager asked to be told (NOTIFY_SOCKET is not set)
 * @throws {IpcError} ENOENT or ECONNREFUSED when the manager is gone
 * @example
 * ```js
 * import { notify } from '@octoipc/socket';
 *
 * await notify('READY=1\nSTATUS=at your service'); //=> false
 * ```
 * @see sd_notify(3)
 */
export async function notify(
  state: string | Readonly<Record<string, string | number>>,
  options?: NotifyOptions,
): Promise<boolean> {
  const text = stateText(state);
  const { fds, ...wait } = optionsObject(options);
  const address = managerAddress();
  if (address === undefined) return false;
  const socket = await Datagram.connect(address);
  try {
    await socket.send(text, undefined, fds === undefined ? wait : { ...wait, fds });
  } finally {
    socket.close();
  }
  return true;
}

function stateText(state: unknown): string {
  if (typeof state === 'string') {
    if (state === '') throw valueError('state', 'must not be empty', state);
    return state;
  }
  if (typeof state !== 'object' || state === null) {
    throw typeError('state', 'a string or an object', state);
  }
  const lines = Object.entries(state).map(([name, value]) => `${name}=${String(value)}`);
  if (lines.length === 0 || lines.some((line) => line.includes('\n'))) {
    throw valueError('state', 'must have values of one line each', state);
  }
  return lines.join('\n');
}

function managerAddress(): PathAddress | AbstractAddress | undefined {
  const name = process.env['NOTIFY_SOCKET'];
  if (name === undefined || name === '') return undefined;
  return name.startsWith('@') ? { abstract: name.slice(1) } : { path: name };
}
