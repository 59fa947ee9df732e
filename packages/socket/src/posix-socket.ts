import { check, descriptor, integer, oneOf, typeError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { SHUT_RD, SHUT_RDWR, SHUT_WR } from './constants.js';
import { ADDRESS_ROOM, decodeAddress, showAddress, type SocketAddress } from './sockaddr.js';
import { Route } from './place.js';

/**
 * Makes a socket, close-on-exec and non-blocking from birth.
 *
 * @param domain - `AF_UNIX`, `AF_INET`, `AF_INET6`, `AF_VSOCK`
 * @param type - `SOCK_STREAM`, `SOCK_DGRAM`, `SOCK_SEQPACKET`
 * @param protocol - 0: the only one there is
 * @returns its descriptor, which is yours: `close` it
 * @throws {IpcError} EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT or EINVAL when there is no such thing
 * @example
 * ```js
 * import { accept, AF_UNIX, bind, close, connect, listen, recv, send, SOCK_STREAM, socket } from '@octoipc/socket/posix';
 *
 * const server = socket(AF_UNIX, SOCK_STREAM);
 * bind(server, { abstract: 'octoipc-textbook' });
 * listen(server, 5);
 * const client = socket(AF_UNIX, SOCK_STREAM);
 * await connect(client, { abstract: 'octoipc-textbook' });
 * const { fd } = await accept(server);
 * await send(client, 'hello'); //=> 5
 * String(await recv(fd, 100)); //=> 'hello'
 * for (const each of [fd, client, server]) close(each);
 * ```
 * @see socket(2)
 */
export function socket(domain: number, type: number, protocol = 0): number {
  integer(domain, 'domain', 0, 0x7fffffff);
  integer(type, 'type', 0, 0x7fffffff);
  integer(protocol, 'protocol', 0, 0x7fffffff);
  return check(binding().socket(domain, type, protocol, false), 'socket');
}

/**
 * Makes two connected sockets.
 *
 * @returns both descriptors, close-on-exec
 * @throws {IpcError} ENOTSUP when the family has no pairs
 * @see socketpair(2)
 */
export function socketpair(domain: number, type: number, protocol = 0): [number, number] {
  integer(domain, 'domain', 0, 0x7fffffff);
  integer(type, 'type', 0, 0x7fffffff);
  integer(protocol, 'protocol', 0, 0x7fffffff);
  const ends = new Int32Array(2);
  check(binding().socketpair(ends, domain, type, protocol, false), 'socketpair');
  return [ends[0]!, ends[1]!];
}

/**
 * Gives a socket its name. A path gets a file, whose mode is what the umask leaves.
 *
 * @throws {IpcError} EADDRINUSE when somebody has it, or had it: a path stays when its socket is gone
 * @see bind(2)
 */
export function bind(fd: number, address: SocketAddress): void {
  descriptor(fd);
  const route = new Route(address);
  try {
    check(binding().bind(fd, route.bytes), 'bind', { target: showAddress(address) });
  } finally {
    route.close();
  }
}

/**
 * Lets others connect.
 *
 * @param backlog - how many may wait to be accepted; one more can
 * @see listen(2)
 */
export function listen(fd: number, backlog = 128): void {
  descriptor(fd);
  integer(backlog, 'backlog', 0, 0x7fffffff);
  check(binding().listen(fd, backlog), 'listen', { target: fd });
}

/** What `shutdown` ends. */
export type ShutdownHow = 'read' | 'write' | 'both' | number;

const HOW = { read: SHUT_RD, write: SHUT_WR, both: SHUT_RDWR } as const;

/**
 * Ends one direction, or both.
 *
 * @throws {IpcError} ENOTCONN when it is not connected; a Unix socket does not mind
 * @see shutdown(2)
 */
export function shutdown(fd: number, how: ShutdownHow): void {
  descriptor(fd);
  const number =
    typeof how === 'number'
      ? integer(how, 'how', 0, 0x7fffffff)
      : HOW[oneOf(how, 'how', ['read', 'write', 'both'])];
  check(binding().shutdown(fd, number), 'shutdown', { target: fd });
}

/** The name of this side; `null` where it has none. See getsockname(2). */
export function getsockname(fd: number): SocketAddress | null {
  return nameOf(fd, false);
}

/**
 * The name of the other side; `null` where it has none.
 *
 * @throws {IpcError} ENOTCONN when it is not connected
 * @see getpeername(2)
 */
export function getpeername(fd: number): SocketAddress | null {
  return nameOf(fd, true);
}

function nameOf(fd: number, peer: boolean): SocketAddress | null {
  descriptor(fd);
  const room = new Uint8Array(ADDRESS_ROOM);
  const syscall = peer ? 'getpeername' : 'getsockname';
  const length = check(binding().name(fd, peer, room), syscall, { target: fd });
  return decodeAddress(room, length);
}

/**
 * An option: as an integer, or as bytes where their size is given.
 *
 * @param size - room for the bytes
 * @throws {IpcError} ENOPROTOOPT when there is no such option, ERANGE when the room is too small
 * @see getsockopt(2), socket(7), unix(7), tcp(7)
 */
export function getsockopt(fd: number, level: number, option: number): number;
export function getsockopt(fd: number, level: number, option: number, size: number): Buffer;
export function getsockopt(
  fd: number,
  level: number,
  option: number,
  size?: number,
): number | Buffer {
  checkOption(fd, level, option);
  if (size === undefined) {
    const out = new Int32Array(1);
    const bytes = new Uint8Array(out.buffer);
    check(binding().getOption(fd, level, option, bytes), 'getsockopt', { target: fd });
    return out[0]!;
  }
  integer(size, 'size', 0, 65_536);
  const out = Buffer.alloc(size);
  const length = check(binding().getOption(fd, level, option, out), 'getsockopt', { target: fd });
  return out.subarray(0, Math.min(length, size));
}

/**
 * Sets an option: a number or a boolean as an integer, or bytes as they are.
 *
 * @throws {IpcError} ENOPROTOOPT when there is no such option
 * @see setsockopt(2)
 */
export function setsockopt(
  fd: number,
  level: number,
  option: number,
  value: number | boolean | Uint8Array,
): void {
  checkOption(fd, level, option);
  check(binding().setOption(fd, level, option, optionBytes(value)), 'setsockopt', { target: fd });
}

function checkOption(fd: number, level: number, option: number): void {
  descriptor(fd);
  integer(level, 'level', 0, 0x7fffffff);
  integer(option, 'option', 0, 0x7fffffff);
}

function optionBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'boolean') return optionBytes(value ? 1 : 0);
  if (typeof value !== 'number') throw typeError('value', 'a number, a boolean or bytes', value);
  return new Uint8Array(Int32Array.of(integer(value, 'value', -0x80000000, 0x7fffffff)).buffer);
}

export { rawClose as close } from './raw-wait.js';
