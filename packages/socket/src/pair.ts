import { check, optionsObject } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { checkConnectionOptions, type ConnectionType } from './connection-options.js';
import { Connection } from './connection.js';
import { AF_UNIX } from './constants.js';
import { SocketEnd } from './end.js';

/** What `socketPair` takes. */
export interface SocketPairOptions {
  /** Bytes without boundaries, or packets. @default 'stream' */
  readonly type?: ConnectionType;
  /** The longest message of `send` and `receive`, in bytes. @default 16777216 (16 MiB) */
  readonly maxMessageSize?: number;
}

const ends = new Int32Array(2);

/**
 * Two connected sockets without names: one to keep, one to hand to another process.
 *
 * @param options - their type
 * @returns both ends
 * @throws {IpcError} EMFILE when this process has too many descriptors
 * @see socketpair(2)
 */
export function socketPair(options?: SocketPairOptions): [Connection, Connection] {
  const given = optionsObject(options);
  const type = checkConnectionOptions(given);
  check(binding().socketpair(ends, AF_UNIX, type, 0, true), 'socketpair', {
    hint: 'close what is not needed, or raise the limit: ulimit -n (RLIMIT_NOFILE)',
  });
  const connection = (fd: number): Connection =>
    Connection.over(new SocketEnd(fd, AF_UNIX, type), given.maxMessageSize);
  return [connection(ends[0]!), connection(ends[1]!)];
}
