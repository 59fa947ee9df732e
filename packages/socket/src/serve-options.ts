import { typeError } from '@octoipc/core/kit';

import { messageLimit } from './connection-options.js';
import type { Connection } from './connection.js';
import type { Peer } from './peer.js';
import { checkTcpOptions, type TcpOptions } from './tcp.js';

/** What a server does with those who connect. */
export interface ServeOptions extends TcpOptions {
  /**
   * Whether somebody may connect, who is told by the kernel; `null` over TCP. Anything but `true` closes
   * the connection, and nobody sees it.
   */
  readonly authorize?: (peer: Peer | null, connection: Connection) => boolean;
  /** The longest message of `send` and `receive` on its connections. @default 16777216 (16 MiB) */
  readonly maxMessageSize?: number;
}

/** Checks what a server takes; as it is now, whatever the caller does with the object meanwhile. */
export function checkServeOptions(options: ServeOptions): ServeOptions {
  const { authorize, maxMessageSize } = options;
  if (authorize !== undefined && typeof authorize !== 'function') {
    throw typeError('options.authorize', 'a function', authorize);
  }
  const limit = messageLimit(maxMessageSize);
  const tcp = checkTcpOptions(options);
  return { ...tcp, maxMessageSize: limit, ...(authorize === undefined ? {} : { authorize }) };
}
