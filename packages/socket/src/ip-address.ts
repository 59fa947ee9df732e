import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

import { valueError } from '@octoipc/core/kit';

/** The bytes of an IPv4 address. */
export function parseIpv4(host: string): Uint8Array {
  return Uint8Array.from(host.split('.'), Number);
}

/** The bytes of an IPv6 address, without its zone. */
export function parseIpv6(host: string): Uint8Array {
  const text = host.split('%', 1)[0]!;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const [front, tail] = dotted === null ? [text, []] : [dotted[1]!, groupsOfIpv4(dotted[2]!)];
  const [left = '', right] = front.split('::');
  const before = groupsOf(left);
  const after = [...groupsOf(right ?? ''), ...tail];
  const gap = right === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: gap }, () => 0), ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): number[] {
  return text
    .split(':')
    .filter((part) => part !== '')
    .map((part) => Number.parseInt(part, 16));
}

function groupsOfIpv4(text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
}

/** An IPv6 address as RFC 5952 writes it. */
export function formatIpv6(bytes: Uint8Array): string {
  const mapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (mapped) return `::ffff:${bytes.subarray(12, 16).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16),
  );
  // The URL parser knows which run of zeros is the one to leave out.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** The interface's number of `fe80::1%eth0`; 0 without a zone. */
export function scopeOf(host: string): number {
  const zone = host.split('%')[1];
  if (zone === undefined) return 0;
  if (/^\d+$/.test(zone)) return Number(zone);
  const known = networkInterfaces()[zone]?.find(({ family }) => family === 'IPv6');
  if (known === undefined || known.family !== 'IPv6') {
    throw valueError('address.host', 'names an interface that this machine does not have', host);
  }
  return known.scopeid ?? 0;
}

/** Whether a host is an address already, not a name to be looked up. */
export function isNumericHost(host: string): boolean {
  return isIPv4(host) || isIPv6(host);
}
