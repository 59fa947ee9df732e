import { closeSync } from 'node:fs';

import { isIpcError } from '@octoipc/core';
import { Connection, Datagram } from '@octoipc/socket';
import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test } from 'vitest';

import { closing, descriptors, scarce } from './opened.js';
import { freshName } from './place.js';

test('peerProcess() is an IpcError, and leaks nothing, when its pidfd has the last number', async () => {
  const peer = scarce('pidfd', 80);
  const names = ['IpcError EMFILE', 'IpcError EMFILE', 'IpcError EMFILE'];
  expect(await peer.report()).toEqual({ names, leaked: 0 });
});

test('SOCK-058: datagrams and packets after many plain ones bring all descriptors that fit one by one', async () => {
  const peer = scarce('batches', 256);
  expect(await peer.report()).toEqual({ whole: [6 * 60, 6 * 60] });
});

test('descriptors that were received ahead are closed with a socket that is collected', async () => {
  const peer = scarce('dropped');
  expect(await peer.report()).toEqual({ held: [true, true, true, true] });
});

test('a datagram that was sent before anybody asked by whom is received, without a descriptor left, too', async () => {
  expect(await scarce('unknown').report()).toEqual({ text: 'kept' });
});

/** socket(7), since Linux 6.5. */
const SO_PASSPIDFD = 76;

function passesPidfd(fd: number): boolean {
  try {
    posix.setsockopt(fd, posix.SOL_SOCKET, SO_PASSPIDFD, 1);
    return true;
  } catch (error) {
    if (!isIpcError(error, 'ENOPROTOOPT')) throw error;
    return false;
  }
}

test('a pidfd that a message brings unasked is closed', async (context) => {
  const name = { abstract: freshName() };
  const receiver = closing(await Datagram.bind(name));
  const sender = closing(await Datagram.connect(name));
  const [one, other] = posix.socketpair(posix.AF_UNIX, posix.SOCK_SEQPACKET);
  const packets = closing(Connection.fromFd(one));
  onTestFinished(() => closeSync(other));
  if (!passesPidfd(receiver.fd) || !passesPidfd(one)) {
    context.skip('the kernel has no SO_PASSPIDFD: Linux 6.5');
  }
  const before = descriptors();
  for (let i = 0; i < 40; i++) {
    sender.sendSync('datagram');
    expect(String((await receiver.receive()).data)).toBe('datagram');
    expect(posix.trySend(other, 'packet')).toBe(6);
    expect(String((await packets.receiveFds())!.data)).toBe('packet');
  }
  expect(descriptors()).toEqual(before);
});
