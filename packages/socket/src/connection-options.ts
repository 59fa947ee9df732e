import { oneOf } from '@octoipc/core/kit';

import { messageLimit, type ConnectionType } from './byte-connection.js';
import { SOCK_SEQPACKET, SOCK_STREAM } from './constants.js';

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
