import type { Bytes } from '@octoipc/core';
import {
  IpcError,
  bytes,
  check,
  descriptor,
  integer,
  optionsObject,
  rangeError,
  typeError,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { AF_UNIX, MSG_CTRUNC, SCM_MAX_FD } from './constants.js';
import type { SocketEnd } from './end.js';
import type { Packet } from './packets.js';

/** A descriptor to send: its number, or a handle that has it, which stays yours. */
export type FdSource = number | { readonly fd: number };

/** What came with its descriptors. */
export interface FdMessage {
  readonly data: Buffer;
  /** They are yours: close them, or hand them to a `fromFd`. */
  readonly fds: number[];
}

/** Checks what is to be sent. */
export function fdNumbers(fds: unknown, name = 'fds'): Int32Array {
  if (!Array.isArray(fds)) throw typeError(name, 'an array of descriptors and handles', fds);
  if (fds.length > SCM_MAX_FD) {
    throw rangeError(
      `${name}.length`,
      `at most ${SCM_MAX_FD}, the kernel's SCM_MAX_FD`,
      fds.length,
    );
  }
  return Int32Array.from(fds, (source: unknown, i) => {
    const isHandle = typeof source === 'object' && source !== null && 'fd' in source;
    return descriptor(isHandle ? source.fd : source, `${name}[${i}]`);
  });
}

/** Descriptors travel over Unix sockets only: TCP would take them and drop them, and say nothing. */
export function checkCarriesFds(end: SocketEnd): void {
  if (end.domain === AF_UNIX) return;
  throw new IpcError('ENOTSUP', {
    ...end.details('sendmsg'),
    hint: 'descriptors travel over Unix sockets only',
  });
}

/** The byte that carries descriptors where there is no data: a stream has no message without a byte. */
const CARRIER = new Uint8Array(1);

/** The data beside descriptors; at least one byte. */
export function carrier(data: Bytes | undefined): Uint8Array {
  if (data === undefined) return CARRIER;
  const view = bytes(data);
  return view.length === 0 ? CARRIER : view;
}

/** Checks how many descriptors are asked for. */
export function maxFdsOf(options: { readonly maxFds?: number | undefined } | undefined): number {
  const { maxFds = SCM_MAX_FD } = optionsObject(options);
  return integer(maxFds, 'options.maxFds', 0, SCM_MAX_FD);
}

/** From now on the descriptors are the caller's. */
export function takeFds(fds: readonly number[]): number[] {
  const native = binding();
  for (const fd of fds) check(native.release(fd), 'release', { target: fd });
  return [...fds];
}

/** Closes descriptors that nobody wants. */
export function closeFds(fds: readonly number[]): void {
  const native = binding();
  for (const fd of fds) native.close(fd);
}

/** The same packet with its first descriptors only; the others are closed. */
export function withFds(packet: Packet, most: number): Packet {
  const surplus = packet.fds.slice(most);
  closeFds(surplus);
  return { ...packet, fds: packet.fds.slice(0, most), dropped: packet.dropped + surplus.length };
}

/**
 * Refuses a message with more descriptors than were asked for, or than this process can have: all of
 * them are closed then, and the error has the data.
 *
 * @throws {IpcError} ERR_FDS_TRUNCATED when there were more
 */
export function checkFdsWhole(packet: Packet, end: SocketEnd): void {
  const lost = (packet.flags & MSG_CTRUNC) !== 0;
  if (packet.dropped === 0 && !lost) return;
  closeFds(packet.fds);
  const error = new IpcError('ERR_FDS_TRUNCATED', {
    ...end.details('recvmsg'),
    hint: lost
      ? 'this process has no room for more descriptors: close some, or raise the limit: ulimit -n'
      : `${packet.fds.length + packet.dropped} came: raise maxFds; all of them are closed`,
  });
  throw Object.assign(error, { data: packet.data });
}
