import type { WaitOptions } from '@octoipc/core';
import { AGAIN, BLOCKED, check, descriptor, errorOf, waitOptions } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { beginConnect, connectEnd, connectEndSync, IN_PROGRESS } from './connecting.js';
import { SocketEnd } from './end.js';
import { Route } from './place.js';
import { rawSync, rawTry, rawWait, type RawCall } from './raw-wait.js';
import {
  ADDRESS_ROOM,
  decodeAddress,
  familyOf,
  showAddress,
  type SocketAddress,
} from './sockaddr.js';

/** A connection that was accepted. */
export interface Accepted {
  /** Close-on-exec; in blocking mode, which nothing here minds. It is yours: `close` it. */
  readonly fd: number;
  /** Of the one who connected; `null` where he has no name. */
  readonly address: SocketAddress | null;
}

function accepting(fd: number): RawCall<Accepted> {
  descriptor(fd);
  // There is no flag for one call: a listening socket in blocking mode would block.
  check(binding().setNonblocking(fd, true), 'fcntl', { target: fd });
  const name = new Uint8Array(ADDRESS_ROOM);
  const length = new Int32Array(1);
  return {
    fd,
    syscall: 'accept4',
    direction: 'readable',
    attempt(socket) {
      const accepted = binding().accept(socket, name, length, 0, false);
      if (accepted === AGAIN) return BLOCKED;
      check(accepted, 'accept4', { target: fd });
      return { fd: accepted, address: decodeAddress(name, length[0]!) };
    },
  };
}

/**
 * Takes the next connection; waits for one.
 *
 * @throws {IpcError} EINVAL when the socket does not listen, ENOTSUP when it is one of datagrams
 * @throws {IpcError} EMFILE when this process has too many descriptors; the connection waits
 * @see accept(2)
 */
export async function accept(fd: number, options?: WaitOptions): Promise<Accepted> {
  return rawWait(accepting(fd), options);
}

/** {@link accept} without waiting: `undefined` if nobody has connected. */
export function tryAccept(fd: number): Accepted | undefined {
  return rawTry(accepting(fd));
}

/** {@link accept} that blocks this thread. */
export function acceptSync(fd: number, options?: { readonly timeout?: number }): Accepted {
  return rawSync(accepting(fd), options);
}

function endOf(fd: number, address: SocketAddress): SocketEnd {
  descriptor(fd);
  const end = new SocketEnd(fd, familyOf(address), 0, showAddress(address));
  check(end.binding.setNonblocking(fd, true), 'fcntl', { target: fd });
  return end;
}

/**
 * Connects a socket; where a Unix server's backlog is full it waits for room.
 *
 * @throws {IpcError} ENOENT when there is no such path, ECONNREFUSED when nobody listens there
 * @throws {IpcError} EPROTOTYPE when the server is of another type, EISCONN when it is connected
 * @see connect(2)
 */
export async function connect(
  fd: number,
  address: SocketAddress,
  options?: WaitOptions,
): Promise<void> {
  const wait = waitOptions(options);
  new Route(address).close();
  endOf(fd, address);
  // On a duplicate: what happens to the number meanwhile does not matter.
  const copy = check(binding().duplicate(fd, true), 'fcntl', { target: fd });
  try {
    await connectEnd(new SocketEnd(copy, familyOf(address), 0), address, wait);
  } finally {
    binding().close(copy);
  }
}

/**
 * {@link connect} without waiting.
 *
 * @returns false if the backlog is full, or the answer is still to come: then the socket becomes
 *   writable, and its SO_ERROR tells
 */
export function tryConnect(fd: number, address: SocketAddress): boolean {
  const route = new Route(address);
  try {
    const end = endOf(fd, address);
    const result = beginConnect(end, route);
    if (result >= 0) return true;
    if (result === AGAIN || result === IN_PROGRESS) return false;
    throw errorOf(result, 'connect', { target: end.target });
  } finally {
    route.close();
  }
}

/** {@link connect} that blocks this thread. */
export function connectSync(
  fd: number,
  address: SocketAddress,
  options?: { readonly timeout?: number },
): void {
  const { timeout } = waitOptions(options);
  new Route(address).close();
  connectEndSync(endOf(fd, address), address, timeout);
}
