import type { Bytes } from '@octoipc/core';
import {
  AGAIN,
  BLOCKED,
  errorOf,
  writingAll,
  type Attempt,
  type Operation,
} from '@octoipc/core/kit';

import { MSG_DONTWAIT } from './constants.js';
import type { SocketEnd } from './end.js';
import {
  carrier,
  checkFdsWhole,
  fdNumbers,
  takeFds,
  type FdMessage,
  type FdSource,
} from './fds.js';
import { receivePackets } from './packets.js';

/** How descriptors are sent: one try, and how its errors are told. */
export interface FdSending {
  readonly attempt: Attempt<void>;
  readonly operation: Operation;
}

/** Bytes beside descriptors that are taken at once. */
const FD_DATA = 64 * 1024;

const NO_ADDRESS = new Uint8Array(0);
const NO_CREDENTIALS = new Int32Array(0);

/** Sends descriptors with the first byte of the data; what follows is plain data. */
export function sendingFds(
  end: SocketEnd,
  fds: readonly FdSource[],
  data: Bytes | undefined,
): FdSending {
  const numbers = fdNumbers(fds);
  const view = carrier(data);
  const { binding, fd, target } = end;
  const { length } = view;
  const first = (): number =>
    binding.sendMessage(fd, view, 0, length, numbers, NO_CREDENTIALS, NO_ADDRESS, MSG_DONTWAIT);
  const put = (written: number): number => {
    const count = written === 0 ? first() : end.write(view, written, length - written);
    if (count >= 0) return count;
    if (count === AGAIN) return 0;
    throw errorOf(count, 'sendmsg', { target, bytesWritten: written });
  };
  return writingAll(put, length, 0, end.details('sendmsg'));
}

/** The bytes of a stream up to those that descriptors came with; null at the end. */
export function takeStreamFds(end: SocketEnd, maxFds: number): FdMessage | null | typeof BLOCKED {
  const found = receivePackets(end, {
    max: 1,
    maxBytes: FD_DATA,
    maxFds,
    names: false,
    flags: MSG_DONTWAIT,
  });
  if (found === AGAIN) return BLOCKED;
  if (typeof found === 'number') throw errorOf(found, 'recvmsg', { target: end.target });
  const packet = found[0]!;
  if (packet.length === 0) return null;
  checkFdsWhole(packet, end);
  return { data: packet.data, fds: takeFds(packet.fds) };
}
