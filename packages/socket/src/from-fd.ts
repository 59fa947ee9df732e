import { check, descriptor, valueError } from '@octoipc/core/kit';

import { Connection } from './connection.js';
import { SO_ACCEPTCONN, SO_TYPE, SOCK_DGRAM, SOL_SOCKET } from './constants.js';
import { Datagram } from './datagram.js';
import { intOption } from './end.js';
import { Server } from './server.js';

/**
 * Takes over a socket that came from outside, whatever it is: from now on the handle closes it.
 *
 * @param fd - a socket; 0 is one
 * @returns a `Server` if it listens, a `Datagram` or a `Connection`
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not a socket
 * @throws {IpcError} EBADF when it is not open, EEXIST when another handle owns it
 */
export function fromFd(fd: number): Connection | Server | Datagram {
  descriptor(fd);
  const type = intOption(fd, SOL_SOCKET, SO_TYPE);
  if (type === NOT_A_SOCKET) throw valueError('fd', 'must be a socket', fd);
  check(type, 'getsockopt', { target: fd });
  if (type === SOCK_DGRAM) return Datagram.fromFd(fd);
  return intOption(fd, SOL_SOCKET, SO_ACCEPTCONN) === 1 ? Server.fromFd(fd) : Connection.fromFd(fd);
}

/** -ENOTSOCK. */
const NOT_A_SOCKET = -88;
