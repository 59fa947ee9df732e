import { checkTimeout, integer, oneOf, optionsObject } from '@octoipc/core/kit';

import { SOCK_SEQPACKET, SOCK_STREAM } from './constants.js';

/** What a connection is of: bytes without boundaries, or packets. */
export type ConnectionType = 'stream' | 'seqpacket';

/** Checks what connections take; the socket's type. */
export function checkConnectionOptions(options: {
  readonly type?: ConnectionType;
  readonly maxMessageSize?: number;
}): number {
  const { type = 'stream', maxMessageSize } = options;
  oneOf(type, 'options.type', ['stream', 'seqpacket']);
  messageLimit(maxMessageSize);
  return type === 'stream' ? SOCK_STREAM : SOCK_SEQPACKET;
}

/** Checks the longest message. */
export function messageLimit(maxMessageSize: number | undefined): number {
  const limit = maxMessageSize ?? 16 * 1024 * 1024;
  return integer(limit, 'options.maxMessageSize', 0, 0xffff_ffff);
}

/** How long a blocking call may take. */
export function timeoutOf(
  options: { readonly timeout?: number | undefined } | undefined,
): number | undefined {
  if (options === undefined) return undefined;
  const { timeout } = optionsObject(options);
  checkTimeout(timeout);
  return timeout;
}
