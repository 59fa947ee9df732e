import type { Bytes } from '@octoipc/core';
import {
  AGAIN,
  BLOCKED,
  bytes,
  errorOf,
  integer,
  optionsObject,
  valueError,
} from '@octoipc/core/kit';

import { MSG_DONTWAIT, MSG_TRUNC, SCM_MAX_FD } from './constants.js';
import { messageOf, type DatagramMessage } from './datagram-message.js';
import type { DatagramReceiveOptions, DatagramSendOptions } from './datagram-options.js';
import type { SocketEnd } from './end.js';
import { checkCarriesFds, checkFdsWhole, closeFds, fdNumbers, maxFdsOf, withFds } from './fds.js';
import { dataAt, isPlain, packetAt, peerAt, receiveRaw, senderAt, type Packet } from './packets.js';
import type { Route } from './place.js';
import type { SocketHandle } from './socket-handle.js';

const DEFAULT_MAX_BYTES = 1024 * 1024;
const NO_CREDENTIALS = new Int32Array(0);
const NO_FDS = new Int32Array(0);
const NO_ADDRESS = new Uint8Array(0);

/**
 * One try to send a datagram to where the socket is connected to; false where others wait, or where it
 * would have to wait.
 *
 * @param sleeping - whether to sleep in the call
 */
export function sendPlainDatagram(handle: SocketHandle, data: Bytes, sleeping: boolean): boolean {
  const { socket } = handle;
  handle.checkOpen('sendmsg');
  if (handle.isWaiting('writable')) return false;
  const view = socket.binding.known.sent.isKnown(data) ? data : bytes(data);
  const { length } = view;
  const result = sleeping ? socket.writeSleeping(view, 0, length) : socket.write(view, 0, length);
  if (result >= 0) return true;
  if (result !== AGAIN) throw errorOf(result, 'sendmsg', { target: socket.target });
  return false;
}

/** One try to send a datagram; the arguments are checked. */
export function sendingDatagram(
  handle: SocketHandle,
  data: Bytes,
  route: Route | undefined,
  options: Pick<DatagramSendOptions, 'fds'> | undefined,
): () => void | typeof BLOCKED {
  const view = bytes(data);
  const { length } = view;
  const { fds } = optionsObject(options);
  const numbers = fds === undefined ? NO_FDS : fdNumbers(fds, 'options.fds');
  if (numbers.length > 0) checkCarriesFds(handle.socket);
  const { socket } = handle;
  const { binding, fd, target } = socket;
  const plain = route === undefined && numbers.length === 0;
  const address = route?.bytes ?? NO_ADDRESS;
  return () => {
    handle.checkOpen('sendmsg');
    if (view.length !== length) {
      throw valueError('data', 'was detached or resized while it was being sent', view);
    }
    const result = plain
      ? socket.write(view, 0, length)
      : binding.sendMessage(fd, view, 0, length, numbers, NO_CREDENTIALS, address, MSG_DONTWAIT);
    if (result === AGAIN) return BLOCKED;
    if (result < 0) throw errorOf(result, 'sendmsg', { target });
    return undefined;
  };
}

/** Datagrams that were taken out of the kernel and wait; those that are nothing but bytes as what callers get. */
export type Ahead = (Packet | DatagramMessage)[];

/** A place for those of a socket. Should that be collected unclosed, their descriptors are closed all the same. */
export function aheadOf(socket: object): Ahead {
  const ahead: Ahead = [];
  abandoned.register(socket, ahead);
  return ahead;
}

const abandoned = new FinalizationRegistry<Ahead>(closeAhead);

/** Closes the descriptors of those that nobody took. */
export function closeAhead(ahead: Ahead): void {
  for (const each of ahead.splice(0)) if ('dropped' in each) closeFds(each.fds);
}

/** One try to receive a datagram, which may sleep in the call if `how` says so. */
type DatagramTaking = (how?: number) => DatagramMessage | typeof BLOCKED;

/**
 * One try to receive a datagram; the arguments are checked.
 *
 * @param ahead - those that were taken out of the kernel and wait for somebody who wants them
 * @param batch - as many are taken at once, of those that are as the options' defaults have them
 */
export function receivingDatagram(
  handle: SocketHandle,
  ahead: Ahead,
  options: Pick<DatagramReceiveOptions, 'maxBytes' | 'maxFds'> | undefined,
  batch: number,
): DatagramTaking {
  const { maxBytes = DEFAULT_MAX_BYTES } = optionsObject(options);
  integer(maxBytes, 'options.maxBytes', 1, 0x3fffffff);
  const maxFds = maxFdsOf(options);
  handle.checkOpen('recvmsg');
  const whole = maxBytes === DEFAULT_MAX_BYTES && maxFds === SCM_MAX_FD;
  const max = whole ? batch : 1;
  return (how = MSG_DONTWAIT) => {
    const waiting = ahead.pop();
    if (waiting !== undefined) return messageWithin(waiting, maxBytes, maxFds, handle.socket);
    return receiveDatagram(handle.socket, ahead, max, maxBytes, maxFds, MSG_TRUNC | how);
  };
}

/**
 * The next datagram, as the options' defaults have it.
 *
 * @param max - as many are taken at once
 * @param sleeping - whether to sleep in the call
 */
export function nextDatagram(
  handle: SocketHandle,
  ahead: Ahead,
  max: number,
  sleeping: boolean,
): DatagramMessage | typeof BLOCKED {
  const waiting = ahead.pop();
  const { socket } = handle;
  if (waiting !== undefined) return messageWithin(waiting, DEFAULT_MAX_BYTES, SCM_MAX_FD, socket);
  const flags = MSG_TRUNC | (sleeping && socket.sleeps ? 0 : MSG_DONTWAIT);
  return receiveDatagram(socket, ahead, max, DEFAULT_MAX_BYTES, SCM_MAX_FD, flags);
}

function receiveDatagram(
  socket: SocketEnd,
  ahead: Ahead,
  max: number,
  maxBytes: number,
  maxFds: number,
  flags: number,
): DatagramMessage | typeof BLOCKED {
  const count = receiveRaw(socket, max, maxBytes, maxFds, true, flags);
  if (count < 0) {
    if (count === AGAIN) return BLOCKED;
    throw errorOf(count, 'recvmsg', { target: socket.target });
  }
  for (let i = count - 1; i > 0; i--) ahead.push(isPlain(i) ? plainAt(i) : packetAt(i));
  if (isPlain(0)) return plainAt(0);
  const first = packetAt(0);
  checkFdsWhole(first, socket);
  return messageOf(first);
}

function plainAt(index: number): DatagramMessage {
  return {
    data: dataAt(index),
    from: senderAt(index),
    peer: peerAt(index),
    fds: [],
    truncated: false,
  };
}

/** A datagram that was taken ahead, as whoever gets it wants it. */
function messageWithin(
  packet: Packet | DatagramMessage,
  maxBytes: number,
  maxFds: number,
  socket: SocketEnd,
): DatagramMessage {
  const { data } = packet;
  if ('truncated' in packet) {
    if (data.length <= maxBytes) return packet;
    return { ...packet, data: data.subarray(0, maxBytes), truncated: true };
  }
  const { flags } = packet;
  const cut =
    data.length > maxBytes
      ? { ...packet, data: data.subarray(0, maxBytes), flags: flags | MSG_TRUNC }
      : packet;
  checkFdsWhole(packet.fds.length > maxFds ? withFds(cut, maxFds) : cut, socket);
  return messageOf(cut);
}
