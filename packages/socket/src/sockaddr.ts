import { isIPv4, isIPv6 } from 'node:net';

import { IpcError, integer, typeError, valueError } from '@octoipc/core/kit';

import { AF_INET, AF_INET6, AF_UNIX, AF_VSOCK } from './constants.js';
import { formatIpv6, parseIpv4, parseIpv6, scopeOf } from './ip-address.js';

/** A socket in the file system. */
export interface PathAddress {
  /** At most 107 bytes of UTF-8. */
  readonly path: string;
  /**
   * Reach a path over 107 bytes through a descriptor of its directory, below `/proc/self/fd`; only the
   * last part of the path must be short then. Others see that name as the address.
   *
   * @default false: a longer path is refused with `ENAMETOOLONG`
   */
  readonly viaDirectory?: boolean;
}

/** A name without a file, in this network namespace: exactly these bytes, at most 107. */
export interface AbstractAddress {
  /** Bytes that are no UTF-8 come as a Buffer. */
  readonly abstract: string | Uint8Array;
}

/** The kernel chooses an abstract name: five hexadecimal digits. */
export interface AutobindAddress {
  readonly autobind: true;
}

/** An address of IPv4 or IPv6. */
export interface IpAddress {
  /** `127.0.0.1`, `::1`, `fe80::1%eth0`. */
  readonly host: string;
  /** 0: the kernel chooses one, for a name of one's own. */
  readonly port: number;
}

/** An address of a virtual machine or its host: vsock(7). */
export interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

/** An address of a socket, as a plain object. */
export type SocketAddress =
  PathAddress | AbstractAddress | AutobindAddress | IpAddress | VsockAddress;

/** The longest sockaddr, a `sockaddr_un`, and some. */
export const ADDRESS_ROOM = 128;

/** What `sun_path` holds, without its NUL. */
export const LONGEST_PATH = 107;

/** What an address of a family takes at least, as far as it is read. */
const SIZES: Readonly<Record<number, number>> = { [AF_INET]: 8, [AF_INET6]: 28, [AF_VSOCK]: 12 };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The bytes of an address for the kernel.
 *
 * @throws {IpcError} ENAMETOOLONG when a path or an abstract name is over 107 bytes
 */
export function encodeAddress(address: SocketAddress): Uint8Array {
  addressObject(address);
  if ('path' in address) return encodePath(address.path);
  if ('abstract' in address) return encodeAbstract(address.abstract);
  if ('autobind' in address) return unixAddress(new Uint8Array(0));
  return 'cid' in address ? encodeVsock(address) : encodeIp(address);
}

/**
 * An object that tells what kind of address it is, whatever its fields hold.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no object
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it has none of the fields
 */
export function addressObject(address: SocketAddress): SocketAddress {
  if (typeof address !== 'object' || address === null) {
    throw typeError('address', 'an address: { path }, { abstract } or { host, port }', address);
  }
  if (['path', 'abstract', 'autobind', 'cid', 'host'].some((field) => field in address)) {
    return address;
  }
  throw valueError('address', 'must have a path, an abstract name, or a host and port', address);
}

/** The family that an address belongs to. */
export function familyOf(address: SocketAddress): number {
  if ('host' in address) return isIPv6(address.host) ? AF_INET6 : AF_INET;
  return 'cid' in address ? AF_VSOCK : AF_UNIX;
}

/** An address as the kernel gave it; null for the empty one of a socket without a name. */
export function decodeAddress(bytes: Uint8Array, length: number): SocketAddress | null {
  if (length < 2 || bytes.length < 2) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = new Uint16Array(bytes.slice(0, 2).buffer)[0];
  if (family === AF_UNIX) return decodeUnix(bytes, Math.min(length, bytes.length));
  // What is cut tells no address.
  if (Math.min(length, bytes.length) < (SIZES[family ?? 0] ?? 0)) return null;
  if (family === AF_INET) {
    return { host: bytes.subarray(4, 8).join('.'), port: view.getUint16(2) };
  }
  if (family === AF_INET6) {
    const scope = new Uint32Array(bytes.slice(24, 28).buffer)[0]!;
    const host = formatIpv6(bytes.subarray(8, 24));
    return { host: scope === 0 ? host : `${host}%${scope}`, port: view.getUint16(2) };
  }
  if (family === AF_VSOCK) {
    const [port, cid] = new Uint32Array(bytes.slice(4, 12).buffer);
    return { cid: cid!, port: port! };
  }
  return null;
}

function decodeUnix(bytes: Uint8Array, length: number): SocketAddress | null {
  if (length <= 2) return null;
  if (bytes[2] === 0) return { abstract: nameOf(bytes.slice(3, length)) };
  const end = bytes.subarray(0, length).indexOf(0, 2);
  return { path: Buffer.from(bytes.slice(2, end < 0 ? length : end)).toString() };
}

/** A string where that has the same bytes. */
function nameOf(bytes: Uint8Array): string | Buffer {
  try {
    return utf8.decode(bytes);
  } catch {
    return Buffer.from(bytes);
  }
}

/** The family in the machine's byte order, then the rest. */
function withFamily(family: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  new Uint16Array(bytes.buffer, 0, 1)[0] = family;
  return bytes;
}

function unixAddress(name: Uint8Array): Uint8Array {
  // A Uint16Array needs an even number of bytes, which the kernel must not see.
  const bytes = withFamily(AF_UNIX, 2 + name.length + 1);
  bytes.set(name, 2);
  return bytes.subarray(0, 2 + name.length);
}

function encodePath(path: unknown): Uint8Array {
  if (typeof path !== 'string') throw typeError('address.path', 'a string', path);
  if (path.length === 0) throw valueError('address.path', 'must not be empty', path);
  if (path.includes('\0')) throw valueError('address.path', 'must not contain a NUL byte', path);
  const name = Buffer.from(path);
  if (name.length > LONGEST_PATH) throw tooLong(path, name.length);
  return unixAddress(Buffer.concat([name, Buffer.alloc(1)]));
}

function tooLong(path: string, length: number): IpcError {
  return new IpcError('ENAMETOOLONG', {
    syscall: 'bind',
    target: path,
    hint: `the path of a socket has at most ${LONGEST_PATH} bytes, this one ${length}: take a shorter one, or { path, viaDirectory: true }`,
  });
}

function encodeAbstract(abstract: unknown): Uint8Array {
  if (typeof abstract !== 'string' && !(abstract instanceof Uint8Array)) {
    throw typeError('address.abstract', 'a string or a Uint8Array', abstract);
  }
  const name = typeof abstract === 'string' ? Buffer.from(abstract) : abstract;
  if (name.length === 0) throw valueError('address.abstract', 'must not be empty', abstract);
  if (name.length > LONGEST_PATH) {
    throw new IpcError('ENAMETOOLONG', {
      syscall: 'bind',
      target: `@${Buffer.from(name).toString()}`,
      hint: `an abstract name has at most ${LONGEST_PATH} bytes, this one ${name.length}`,
    });
  }
  return unixAddress(Buffer.concat([Buffer.alloc(1), name]));
}

function encodeIp({ host, port }: IpAddress): Uint8Array {
  if (typeof host !== 'string') throw typeError('address.host', 'a string', host);
  integer(port, 'address.port', 0, 65_535);
  if (isIPv4(host)) {
    const bytes = withFamily(AF_INET, 16);
    new DataView(bytes.buffer).setUint16(2, port);
    bytes.set(parseIpv4(host), 4);
    return bytes;
  }
  if (!isIPv6(host))
    throw valueError('address.host', 'must be a numeric IPv4 or IPv6 address', host);
  const bytes = withFamily(AF_INET6, 28);
  new DataView(bytes.buffer).setUint16(2, port);
  bytes.set(parseIpv6(host), 8);
  new Uint32Array(bytes.buffer, 24, 1)[0] = scopeOf(host);
  return bytes;
}

/**
 * Checks an address of a virtual machine.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when its cid or port is no number
 */
export function checkVsock({ cid, port }: VsockAddress): void {
  integer(cid, 'address.cid', 0, 0xffff_ffff);
  integer(port, 'address.port', 0, 0xffff_ffff);
}

function encodeVsock(address: VsockAddress): Uint8Array {
  checkVsock(address);
  const { cid, port } = address;
  const bytes = withFamily(AF_VSOCK, 16);
  new Uint32Array(bytes.buffer, 4, 2).set([port, cid]);
  return bytes;
}

/** An address in one line, for errors: the path, `@name`, `host:port`. */
export function showAddress(address: SocketAddress | null): string {
  if (address === null) return '(unnamed)';
  if ('path' in address) return address.path;
  if ('abstract' in address) return `@${Buffer.from(address.abstract).toString()}`;
  if ('autobind' in address) return '@';
  if ('cid' in address) return `vsock:${address.cid}:${address.port}`;
  return address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}
