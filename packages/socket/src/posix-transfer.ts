import type { Bytes, WaitOptions } from '@octoipc/core';
import {
  AGAIN,
  BLOCKED,
  bytes,
  check,
  integer,
  optionsObject,
  typeError,
  valueError,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import {
  AF_UNIX,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_TRUNC,
  SCM_MAX_FD,
  SO_DOMAIN,
  SOL_SOCKET,
} from './constants.js';
import { intOption, SocketEnd } from './end.js';
import { checkCarriesFds, fdNumbers, takeFds, type FdSource } from './fds.js';
import { receivePackets } from './packets.js';
import type { Peer } from './peer.js';
import { Route } from './place.js';
import { rawSync, rawTry, rawWait, type RawCall } from './raw-wait.js';
import type { SocketAddress } from './sockaddr.js';

/** What `sendmsg` sends. */
export interface OutgoingMessage {
  readonly data: Bytes;
  /** Up to 253 descriptors, or handles that have one. */
  readonly fds?: readonly FdSource[];
  /** Whom to pretend to be; the kernel refuses what is not true, unless it is privileged. */
  readonly credentials?: Peer;
  /** The receiver, where the socket is not connected. */
  readonly address?: SocketAddress;
  /** `MSG_…` of send(2). @default 0 */
  readonly flags?: number;
}

/** What `recvmsg` takes. */
export interface IncomingRequest {
  /** Room for data. */
  readonly size: number;
  /** More descriptors than this are closed. @default 0 */
  readonly maxFds?: number;
  /** `MSG_…` of recv(2). @default 0 */
  readonly flags?: number;
}

/** What `recvmsg` gives. */
export interface IncomingMessage {
  readonly data: Buffer;
  /** Of the sender; `null` where he has no name, or it is a connection. */
  readonly address: SocketAddress | null;
  /** Close-on-exec from birth, and yours. */
  readonly fds: number[];
  /** The sender, where SO_PASSCRED is set. */
  readonly credentials: Peer | null;
  /** Whether it had more bytes than there was room for (MSG_TRUNC). */
  readonly truncated: boolean;
  /** Whether descriptors were lost: more than `maxFds`, or than this process can have (MSG_CTRUNC). */
  readonly controlTruncated: boolean;
  /** `msg_flags`. */
  readonly flags: number;
}

/** How a blocking flavour ends. */
export interface SyncOptions {
  /** The longest time to block, in milliseconds. @default Infinity */
  readonly timeout?: number;
}

const FLAGS = 0x7fffffff;
const NONE = new Int32Array(0);

function sendingMessage(
  fd: number,
  message: OutgoingMessage,
  syscall = 'sendmsg',
): RawCall<number> {
  if (typeof message !== 'object' || message === null) {
    throw typeError('message', 'an object: { data, fds, credentials, address }', message);
  }
  const { data, fds, credentials, address, flags = 0 } = message;
  const view = bytes(data);
  const { length } = view;
  const numbers = fds === undefined ? NONE : fdNumbers(fds, 'message.fds');
  const identity = credentials === undefined ? NONE : credentialNumbers(credentials);
  integer(flags, 'flags', 0, FLAGS);
  const route = address === undefined ? undefined : new Route(address);
  const to = route?.bytes.slice() ?? new Uint8Array(0);
  route?.close();
  return {
    fd,
    syscall,
    direction: 'writable',
    attempt(socket) {
      if (view.length !== length) {
        throw valueError('data', 'was detached or resized while it was being sent', view);
      }
      if (numbers.length > 0) {
        const domain = check(intOption(socket, SOL_SOCKET, SO_DOMAIN), syscall, { target: fd });
        if (domain !== AF_UNIX) checkCarriesFds(new SocketEnd(fd, domain, 0));
      }
      const how = flags | MSG_DONTWAIT;
      const sent = binding().sendMessage(socket, view, 0, length, numbers, identity, to, how);
      return sent === AGAIN ? BLOCKED : check(sent, syscall, { target: fd });
    },
  };
}

function credentialNumbers(credentials: Peer): Int32Array {
  const { pid, uid, gid } = optionsObject(credentials, 'credentials');
  integer(pid, 'credentials.pid', 0, 0x7fffffff);
  integer(uid, 'credentials.uid', 0, 0xffffffff);
  integer(gid, 'credentials.gid', 0, 0xffffffff);
  return Int32Array.of(pid, uid | 0, gid | 0);
}

function receivingMessage(fd: number, request: IncomingRequest): RawCall<IncomingMessage> {
  const { size, maxFds = 0, flags = 0 } = optionsObject(request, 'request');
  integer(size, 'size', 0, 0x3fffffff);
  integer(maxFds, 'maxFds', 0, SCM_MAX_FD);
  integer(flags, 'flags', 0, FLAGS);
  return {
    fd,
    syscall: 'recvmsg',
    direction: 'readable',
    attempt(socket) {
      const found = receivePackets(new SocketEnd(socket, 0, 0), {
        max: 1,
        maxBytes: size,
        maxFds,
        names: true,
        flags: flags | MSG_DONTWAIT,
      });
      if (found === AGAIN) return BLOCKED;
      if (typeof found === 'number') return check(found, 'recvmsg', { target: fd }) as never;
      const packet = found[0]!;
      return {
        data: packet.data,
        address: packet.from,
        fds: takeFds(packet.fds),
        credentials: packet.peer,
        truncated: (packet.flags & MSG_TRUNC) !== 0,
        controlTruncated: packet.dropped > 0 || (packet.flags & MSG_CTRUNC) !== 0,
        flags: packet.flags,
      };
    },
  };
}

function receiving(fd: number, size: number, flags: number): RawCall<Buffer> {
  integer(size, 'size', 0, 0x3fffffff);
  integer(flags, 'flags', 0, FLAGS);
  return {
    fd,
    syscall: 'recv',
    direction: 'readable',
    attempt(socket) {
      const room = Buffer.allocUnsafeSlow(size);
      const count = binding().receive(socket, room, 0, size, flags | MSG_DONTWAIT);
      // With MSG_TRUNC it is the length of the whole datagram.
      if (count === AGAIN) return BLOCKED;
      return room.subarray(0, Math.min(check(count, 'recv', { target: fd }), size));
    },
  };
}

/**
 * Sends; waits until at least a part of it is taken.
 *
 * @param flags - `MSG_…`; MSG_NOSIGNAL is always set
 * @returns how many bytes were taken, maybe fewer than there are
 * @throws {IpcError} EPIPE when the other side has closed, EMSGSIZE when it is too long for a message
 * @see send(2)
 */
export async function send(
  fd: number,
  data: Bytes,
  flags = 0,
  options?: WaitOptions,
): Promise<number> {
  return rawWait(sendingMessage(fd, { data, flags }, 'send'), options);
}

/** {@link send} without waiting: `undefined` if there is no room. */
export function trySend(fd: number, data: Bytes, flags = 0): number | undefined {
  return rawTry(sendingMessage(fd, { data, flags }, 'send'));
}

/** {@link send} that blocks this thread. */
export function sendSync(fd: number, data: Bytes, flags = 0, options?: SyncOptions): number {
  return rawSync(sendingMessage(fd, { data, flags }, 'send'), options);
}

/**
 * Receives; waits until something comes.
 *
 * @param size - room for data; what a message has beyond is lost
 * @param flags - `MSG_…`
 * @returns the bytes; none at the end of a stream
 * @throws {IpcError} ECONNRESET when the other side closed without having read everything
 * @see recv(2)
 */
export async function recv(
  fd: number,
  size: number,
  flags = 0,
  options?: WaitOptions,
): Promise<Buffer> {
  return rawWait(receiving(fd, size, flags), options);
}

/** {@link recv} without waiting: `undefined` if there is nothing. */
export function tryRecv(fd: number, size: number, flags = 0): Buffer | undefined {
  return rawTry(receiving(fd, size, flags));
}

/** {@link recv} that blocks this thread. */
export function recvSync(fd: number, size: number, flags = 0, options?: SyncOptions): Buffer {
  return rawSync(receiving(fd, size, flags), options);
}

/**
 * Sends a datagram to somebody. Of an unconnected Unix socket the kernel does not tell when a full
 * receiver has room: `Datagram.send` does; this tries again whenever the socket is writable.
 *
 * @returns how many bytes were taken
 * @see sendto(2)
 */
export async function sendto(
  fd: number,
  data: Bytes,
  address: SocketAddress,
  options?: WaitOptions,
): Promise<number> {
  return rawWait(sendingMessage(fd, { data, address }, 'sendto'), options);
}

/** {@link sendto} without waiting: `undefined` if the receiver is full. */
export function trySendto(fd: number, data: Bytes, address: SocketAddress): number | undefined {
  return rawTry(sendingMessage(fd, { data, address }, 'sendto'));
}

/** {@link sendto} that blocks this thread. */
export function sendtoSync(
  fd: number,
  data: Bytes,
  address: SocketAddress,
  options?: SyncOptions,
): number {
  return rawSync(sendingMessage(fd, { data, address }, 'sendto'), options);
}

/**
 * Receives a datagram, and who sent it.
 *
 * @see recvfrom(2)
 */
export async function recvfrom(
  fd: number,
  size: number,
  options?: WaitOptions,
): Promise<Pick<IncomingMessage, 'data' | 'address' | 'truncated'>> {
  return rawWait(receivingMessage(fd, { size }), options);
}

/** {@link recvfrom} without waiting: `undefined` if there is nothing. */
export function tryRecvfrom(
  fd: number,
  size: number,
): Pick<IncomingMessage, 'data' | 'address' | 'truncated'> | undefined {
  return rawTry(receivingMessage(fd, { size }));
}

/** {@link recvfrom} that blocks this thread. */
export function recvfromSync(
  fd: number,
  size: number,
  options?: SyncOptions,
): Pick<IncomingMessage, 'data' | 'address' | 'truncated'> {
  return rawSync(receivingMessage(fd, { size }), options);
}

/**
 * Sends data with descriptors, credentials, an address.
 *
 * @returns how many bytes were taken
 * @throws {IpcError} EBADF when a descriptor is not open; nothing is sent then
 * @throws {IpcError} EPERM when the credentials are somebody else's
 * @throws {IpcError} ENOTSUP when descriptors were to go over anything but a Unix socket
 * @see sendmsg(2), unix(7)
 */
export async function sendmsg(
  fd: number,
  message: OutgoingMessage,
  options?: WaitOptions,
): Promise<number> {
  return rawWait(sendingMessage(fd, message), options);
}

/** {@link sendmsg} without waiting: `undefined` if there is no room. */
export function trySendmsg(fd: number, message: OutgoingMessage): number | undefined {
  return rawTry(sendingMessage(fd, message));
}

/** {@link sendmsg} that blocks this thread. */
export function sendmsgSync(fd: number, message: OutgoingMessage, options?: SyncOptions): number {
  return rawSync(sendingMessage(fd, message), options);
}

/**
 * Receives data with descriptors, credentials, an address.
 *
 * @returns all of them; descriptors beyond `maxFds` are closed, and `controlTruncated` says so
 * @see recvmsg(2), cmsg(3)
 */
export async function recvmsg(
  fd: number,
  request: IncomingRequest,
  options?: WaitOptions,
): Promise<IncomingMessage> {
  return rawWait(receivingMessage(fd, request), options);
}

/** {@link recvmsg} without waiting: `undefined` if there is nothing. */
export function tryRecvmsg(fd: number, request: IncomingRequest): IncomingMessage | undefined {
  return rawTry(receivingMessage(fd, request));
}

/** {@link recvmsg} that blocks this thread. */
export function recvmsgSync(
  fd: number,
  request: IncomingRequest,
  options?: SyncOptions,
): IncomingMessage {
  return rawSync(receivingMessage(fd, request), options);
}
