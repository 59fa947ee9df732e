import { lookup } from 'node:dns/promises';
import type { ConnectionOptions, TlsOptions } from 'node:tls';

import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, IpcError, integer, typeError, valueError, WaitQueue } from '@octoipc/core/kit';

import { isNumericHost } from './ip-address.js';
import { addressObject, checkVsock, type SocketAddress } from './sockaddr.js';

/** A place on the network. */
export interface HostAddress {
  /** A name or a numeric address. */
  readonly host: string;
  readonly port: number;
  /**
   * TLS by Node's own `tls`: `true`, or what `tls.connect` or `tls.createServer` takes. A server's
   * `handshakeTimeout` is 10 seconds by default.
   */
  readonly tls?: boolean | ConnectionOptions | TlsOptions;
}

/** Where to connect to, or to listen: an object or a URL. */
export type Address = SocketAddress | HostAddress | string;

/** Where it is, with what goes beyond a socket's own address. */
export interface Target {
  readonly addresses: readonly SocketAddress[];
  readonly host?: string;
  readonly tls?: ConnectionOptions | TlsOptions;
}

/** An address of the file system or an abstract name, or a host that may still be a name. */
type Parsed = SocketAddress | HostAddress;

/**
 * An address that was given as an object or a URL.
 *
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when the URL is none of ours
 */
export function parseAddress(address: Address): Parsed {
  if (typeof address !== 'string') {
    if (typeof address !== 'object' || address === null) {
      throw typeError('address', 'an address or a URL', address);
    }
    if ('host' in address || ('port' in address && !('cid' in address))) {
      return checkedHost(address as HostAddress);
    }
    const object = addressObject(address);
    if ('cid' in object) checkVsock(object);
    return object;
  }
  if (address.startsWith('unix:')) {
    const name = address.slice('unix:'.length);
    return name.startsWith('@') ? { abstract: name.slice(1) } : { path: name };
  }
  const scheme = /^(tcp|tls):\/\/(?:\[([^\]]+)\]|([^:/[\]]+)):(\d+)\/?$/.exec(address);
  if (scheme === null) {
    throw valueError(
      'address',
      "must be like 'unix:/run/x.sock', 'unix:@name', 'tcp://host:port' or 'tls://host:port'",
      address,
    );
  }
  const host = scheme[2] ?? scheme[3]!;
  const port = Number(scheme[4]);
  return checkedHost(scheme[1] === 'tls' ? { host, port, tls: true } : { host, port });
}

function checkedHost(address: HostAddress): HostAddress {
  const { host, port, tls } = address;
  if (typeof host !== 'string') throw typeError('address.host', 'a string', host);
  if (host.length === 0 || host.includes('\0')) {
    throw valueError('address.host', 'must be a name or a numeric address', host);
  }
  integer(port, 'address.port', 0, 65_535);
  if (tls !== undefined && typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    throw typeError('address.tls', 'a boolean or an object', tls);
  }
  return address;
}

/**
 * The numeric addresses of a place. Names are looked up by `dns.lookup`, the one thing here that takes
 * a thread of Node's pool.
 *
 * @throws {IpcError} ENOTFOUND when the host has no address
 */
export async function resolveAddress(address: Address, wait: WaitOptions): Promise<Target> {
  const parsed = parseAddress(address);
  if (!('host' in parsed)) return { addresses: [copied(parsed)] };
  const { host, port, tls = false } = parsed as HostAddress;
  const secured = tls === false ? {} : { tls: tls === true ? {} : { ...tls } };
  if (isNumericHost(host)) return { addresses: [{ host, port }], host, ...secured };
  const found = await lookupHost(host, wait);
  return { addresses: found.map((numeric) => ({ host: numeric, port })), host, ...secured };
}

/** An address as it is now: the caller may use his object again while this one is waited for. */
function copied(address: SocketAddress): SocketAddress {
  if ('path' in address) {
    const { path, viaDirectory } = address;
    return viaDirectory === undefined ? { path } : { path, viaDirectory };
  }
  if ('abstract' in address) {
    const { abstract } = address;
    return { abstract: abstract instanceof Uint8Array ? Buffer.from(abstract) : abstract };
  }
  return { ...address };
}

/** A lookup goes on in its thread when nobody waits for it any more. */
function lookupHost(host: string, wait: WaitOptions): Promise<string[]> {
  const details = { syscall: 'getaddrinfo', target: host };
  let outcome: (() => string[]) | undefined;
  let tell: (() => void) | undefined;
  const settle = (found: () => string[]): void => {
    outcome = found;
    tell?.();
  };
  const queue = new WaitQueue({
    listen: (wake) => {
      tell = wake;
    },
    rest: () => {
      tell = undefined;
    },
  });
  const answer = queue.run(() => outcome?.() ?? BLOCKED, wait, { details });
  // What was aborted before is not looked up.
  if (tell === undefined) return answer;
  lookup(host, { all: true }).then(
    (found) => settle(() => found.map(({ address }) => address)),
    (cause: { readonly code?: string }) =>
      settle(() => {
        const { code = 'ENOTFOUND' } = cause;
        throw new IpcError(code, { ...details, text: 'the host has no address', cause });
      }),
  );
  return answer;
}
