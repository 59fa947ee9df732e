import type { TlsOptions } from 'node:tls';

import type { WaitOptions } from '@octoipc/core';
import { check, integer, optionalBoolean, optionsObject, waitOptions } from '@octoipc/core/kit';

import { resolveAddress, type Address } from './address.js';
import { checkConnectionOptions, type ConnectionType } from './connection-options.js';
import {
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
  SOMAXCONN,
} from './constants.js';
import { makeSocket, setIntOption, type SocketEnd } from './end.js';
import { Place } from './place.js';
import type { Finish } from './secure-arrivals.js';
import { checkServeOptions, type ServeOptions } from './serve-options.js';
import { Server } from './server.js';
import { familyOf, type SocketAddress } from './sockaddr.js';
import { serving } from './tls.js';

/** What `listen` takes. */
export interface ListenOptions extends ServeOptions, Pick<WaitOptions, 'signal'> {
  /** Bytes without boundaries, or packets. @default 'stream' */
  readonly type?: ConnectionType;
  /** How many may wait to be accepted; capped at net.core.somaxconn. @default 4096 */
  readonly backlog?: number;
  /** The permission bits of a path; who may write may connect. @default 0o600 */
  readonly mode?: number;
  /**
   * Take over the path of a server that is gone. A lock, the file `PATH.lock`, which the server holds for
   * its life, sees to it that only one does; a live server is never displaced.
   *
   * @default false
   */
  readonly reclaim?: boolean;
  /** TCP only: several sockets may listen on one port, and share those who connect. @default false */
  readonly reusePort?: boolean;
  /** IPv6 only: `::` does not take IPv4 as well. @default false */
  readonly ipv6Only?: boolean;
}

/**
 * Listens for connections.
 *
 * @param address - `{ path }`, `{ abstract }`, `{ host, port, tls? }` (port 0: the kernel chooses), or a
 *   URL: `unix:/run/x.sock`, `unix:@name`, `tcp://host:port`
 * @param options - its type, who may connect, and whether a stale path is taken over
 * @returns the server, to which anybody may connect from now on
 * @throws {IpcError} EADDRINUSE when somebody has the address
 * @throws {IpcError} ENAMETOOLONG when the path is over 107 bytes
 * @throws {IpcError} EACCES when the directory is not writable, ENOENT when it is missing
 * @see bind(2), listen(2), unix(7)
 */
export async function listen(address: Address, options?: ListenOptions): Promise<Server> {
  const given = checkedOptions(options);
  given.signal?.throwIfAborted();
  const { addresses, tls } = await resolveAddress(address, { signal: given.signal });
  let finish: Finish | undefined;
  if (tls !== undefined) {
    finish = serving(tls as TlsOptions, given.serve.maxMessageSize);
  }
  return open(addresses[0]!, given, finish);
}

/** What `listen` takes, checked, as it was when it was called. */
interface Given {
  readonly type: number;
  readonly serve: ServeOptions;
  readonly mode: number;
  readonly reclaim: boolean;
  readonly backlog: number;
  readonly reusePort: boolean;
  readonly ipv6Only: boolean;
  readonly signal: AbortSignal | undefined;
}

function checkedOptions(options: ListenOptions | undefined): Given {
  const given = optionsObject(options);
  const { backlog = SOMAXCONN, mode = 0o600, reclaim, reusePort, ipv6Only, signal } = given;
  const serve = checkServeOptions(given);
  integer(backlog, 'options.backlog', 0, 0x7fffffff);
  checkMode(mode);
  return {
    type: checkConnectionOptions(given),
    serve,
    mode,
    reclaim: optionalBoolean(reclaim, 'options.reclaim') ?? false,
    backlog,
    reusePort: optionalBoolean(reusePort, 'options.reusePort') ?? false,
    ipv6Only: optionalBoolean(ipv6Only, 'options.ipv6Only') ?? false,
    signal: waitOptions(signal === undefined ? undefined : { signal }).signal,
  };
}

/** Checks the permission bits of a path. */
export function checkMode(mode: number | undefined): void {
  if (mode !== undefined) integer(mode, 'options.mode', 0, 0o777);
}

function open(address: SocketAddress, given: Given, finish: Finish | undefined): Server {
  const { type, mode, reclaim, backlog, serve } = given;
  const end = makeSocket(familyOf(address), type, address);
  let place: Place | undefined;
  try {
    if ('host' in address) prepareTcp(end, address.host, given);
    place = Place.bind(end, address, { mode, reclaim });
    check(end.binding.listen(end.fd, backlog), 'listen', { target: end.target });
    return Server.over(end, serve, place, finish);
  } catch (error) {
    place?.release();
    end.binding.close(end.fd);
    throw error;
  }
}

/** A port that connections of an earlier server still linger on can be had at once: socket(7). */
function prepareTcp(end: SocketEnd, host: string, { reusePort, ipv6Only }: Given): void {
  setIntOption(end.fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (reusePort) setIntOption(end.fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (host.includes(':')) {
    setIntOption(end.fd, IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0);
  }
}
