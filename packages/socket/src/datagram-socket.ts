import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, check, POLLOUT, valueError } from '@octoipc/core/kit';

import { parseAddress, resolveAddress, type Address } from './address.js';
import { AF_UNIX, SO_PASSCRED, SOL_SOCKET } from './constants.js';
import { setIntOption, type SocketEnd } from './end.js';
import { Route } from './place.js';
import type { SocketAddress } from './sockaddr.js';
import type { SocketHandle } from './socket-handle.js';

/** The one address that a datagram socket gets. */
export async function oneAddress(address: Address): Promise<SocketAddress> {
  const { addresses } = await resolveAddress(address, {});
  return addresses[0]!;
}

/** Of a socket of ours, which nobody shares. */
export function prepare(end: SocketEnd): void {
  passCredentials(end);
  end.binding.setNonblocking(end.fd, false);
}

/** Who sends is told with each datagram: SO_PASSCRED. It gives a socket without a name one. */
export function passCredentials(end: SocketEnd): void {
  if (end.domain === AF_UNIX) setIntOption(end.fd, SOL_SOCKET, SO_PASSCRED, 1);
}

/** Whether its own buffer has room. */
export function hasRoom({ binding, fd, target }: SocketEnd): boolean {
  return (check(binding.poll(fd, POLLOUT, 0), 'poll', { target }) & POLLOUT) !== 0;
}

/** Waits until its own buffer has room. */
export function room(handle: SocketHandle, wait: WaitOptions): Promise<void> {
  const { socket } = handle;
  const attempt = (): void | typeof BLOCKED => {
    if (!hasRoom(socket)) return BLOCKED;
  };
  return handle.waitFor('writable', attempt, wait, { details: socket.details('sendmsg') });
}

/** Where a datagram goes; undefined where the socket is connected. */
export function routeTo(handle: SocketHandle, to: Address | null | undefined): Route | undefined {
  handle.checkOpen('sendmsg');
  if (to === undefined) return undefined;
  if (to === null) throw valueError('to', 'is nobody: the sender had no name to reply to', to);
  return new Route(parseAddress(to) as SocketAddress);
}
