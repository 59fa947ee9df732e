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

import { MSG_DONTWAIT, MSG_TRUNC } from './constants.js';
import { messageOf, type DatagramMessage } from './datagram-message.js';
import type { DatagramReceiveOptions, DatagramSendOptions } from './datagram-options.js';
import { checkCarriesFds, checkFdsWhole, fdNumbers, maxFdsOf } from './fds.js';
import { receivePackets } from './packets.js';
import type { Route } from './place.js';
import type { SocketHandle } from './socket-handle.js';

const DEFAULT_MAX_BYTES = 1024 * 1024;
const NO_CREDENTIALS = new Int32Array(0);
const NO_FDS = new Int32Array(0);
const NO_ADDRESS = new Uint8Array(0);

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
  const { binding, fd, target } = handle.socket;
  const address = route?.bytes ?? NO_ADDRESS;
  return () => {
    handle.checkOpen('sendmsg');
    if (view.length !== length) {
      throw valueError('data', 'was detached or resized while it was being sent', view);
    }
    const result = binding.sendMessage(
      fd,
      view,
      0,
      length,
      numbers,
      NO_CREDENTIALS,
      address,
      MSG_DONTWAIT,
    );
    if (result === AGAIN) return BLOCKED;
    if (result < 0) throw errorOf(result, 'sendmsg', { target });
    return undefined;
  };
}

/** One try to receive a datagram; the arguments are checked. */
export function receivingDatagram(
  handle: SocketHandle,
  options: Pick<DatagramReceiveOptions, 'maxBytes' | 'maxFds'> | undefined,
  how = MSG_DONTWAIT,
): () => DatagramMessage | typeof BLOCKED {
  const { maxBytes = DEFAULT_MAX_BYTES } = optionsObject(options);
  integer(maxBytes, 'options.maxBytes', 1, 0x3fffffff);
  const maxFds = maxFdsOf(options);
  handle.checkOpen('recvmsg');
  const request = { max: 1, maxBytes, maxFds, names: true, flags: MSG_TRUNC | how };
  return () => {
    const found = receivePackets(handle.socket, request);
    if (found === AGAIN) return BLOCKED;
    if (typeof found === 'number') {
      throw errorOf(found, 'recvmsg', { target: handle.socket.target });
    }
    checkFdsWhole(found[0]!, handle.socket);
    return messageOf(found[0]!);
  };
}
