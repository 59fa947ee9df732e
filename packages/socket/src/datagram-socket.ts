import { check, POLLOUT } from '@octoipc/core/kit';

import { resolveAddress, type Address } from './address.js';
import { AF_UNIX, SO_PASSCRED, SOL_SOCKET } from './constants.js';
import { setIntOption, type SocketEnd } from './end.js';
import type { SocketAddress } from './sockaddr.js';

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
