import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { Datagram, notify } from '@octoipc/socket';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, descriptors, pair } from './opened.js';
import { folder, freshName, freshPath } from './place.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });
const self = { pid: process.pid, uid: process.getuid!(), gid: process.getgid!() };

async function bound(...args: Parameters<(typeof Datagram)['bind']>): Promise<Datagram> {
  return closing(await Datagram.bind(...args));
}

/** After some datagrams without descriptors several are taken out of the kernel at once. */
async function receivePlain(sender: Datagram, receiver: Datagram): Promise<void> {
  for (let i = 0; i < 16; i++) {
    await sender.send('plain');
    await receiver.receive();
  }
}

test('SOCK-036 SOCK-068: each datagram arrives whole, in order, with its sender and his identity', async () => {
  const path = freshPath();
  const receiver = await bound({ path }, { mode: 0o620 });
  expect(statSync(path).mode & 0o777).toBe(0o620);
  const sender = await bound();
  await sender.send('one', { path });
  await sender.send('two', `unix:${path}`);
  for (const text of ['one', 'two']) {
    const { data, from, peer, fds, truncated } = await receiver.receive();
    expect({ text: String(data), from, peer, fds, truncated }).toEqual({
      text,
      from: sender.local,
      peer: self,
      fds: [],
      truncated: false,
    });
    await receiver.send(`re: ${text}`, from);
  }
  expect(String(sender.receiveSync().data)).toBe('re: one');
  expect(String(sender.tryReceive()?.data)).toBe('re: two');
  expect(sender.tryReceive()).toBe(undefined);
});

test('SOCK-037: a datagram without bytes is one, not the end', async () => {
  const receiver = await bound();
  const sender = closing(await Datagram.connect(receiver.local as { abstract: string }));
  await sender.send('');
  expect((await receiver.receive()).data).toHaveLength(0);
});

test('SOCK-038: a longer one than maxBytes is cut, and says so; by default none is', async () => {
  const receiver = await bound();
  const sender = closing(await Datagram.connect(receiver.local as { abstract: string }));
  await sender.send('too long');
  expect(await receiver.receive({ maxBytes: 3 })).toMatchObject({
    data: Buffer.from('too'),
    truncated: true,
  });
  const large = Buffer.alloc(150_000, 'large');
  await sender.send(large);
  const { data, truncated } = await receiver.receive();
  expect(truncated).toBe(false);
  expect(data.equals(large)).toBe(true);
});

test('SOCK-039: one over the send buffer is EMSGSIZE', async () => {
  const receiver = await bound();
  const sender = await bound();
  await expect(
    sender.send(Buffer.alloc(1 << 20), receiver.local as { abstract: string }),
  ).rejects.toThrow(failing('EMSGSIZE'));
});

test.each(['connected', 'unconnected'])(
  'SOCK-040 SOCK-041: %s send() waits while the receiver is full, spins not, keeps the order, and is cancelled without effect',
  async (kind) => {
    const receiver = await bound();
    const address = receiver.local as { abstract: string };
    const sender = kind === 'connected' ? closing(await Datagram.connect(address)) : await bound();
    const to = kind === 'connected' ? undefined : address;
    let sent = 0;
    while (sender.trySend(String(sent), to)) sent += 1;
    await expect(sender.send('never', to, { timeout: 50 })).rejects.toThrow(failing('ETIMEDOUT'));
    const aborter = new AbortController();
    const aborted = sender.send('nor this', to, { signal: aborter.signal });
    const later = [0, 1, 2].map((i) => sender.send(String(sent + i), to));
    aborter.abort(new Error('changed my mind'));
    await expect(aborted).rejects.toThrow('changed my mind');
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(150_000);
    // Another receiver is not kept waiting.
    const free = await bound();
    if (kind === 'unconnected') await sender.send('free', free.local as { abstract: string });
    for (let i = 0; i < sent + 3; i++)
      expect(String((await receiver.receive()).data)).toBe(String(i));
    await Promise.all(later);
    expect(receiver.tryReceive()).toBe(undefined);
  },
);

test('send() with a full receiver rejects when that is closed, or the sender', async () => {
  for (const which of ['receiver', 'sender'] as const) {
    const receiver = await bound();
    const address = receiver.local as { abstract: string };
    const sender = await bound();
    const before = descriptors();
    while (sender.trySend('x', address));
    const waiting = sender.send('late', address);
    const outcome = waiting.catch((error: unknown) => error);
    (which === 'receiver' ? receiver : sender).close();
    expect(await outcome).toEqual(failing(which === 'receiver' ? 'ECONNREFUSED' : 'ERR_CLOSED'));
    expect(descriptors().length).toBeLessThan(before.length + 2);
  }
});

test('sendSync() blocks while the receiver is full, until its timeout', async () => {
  const receiver = await bound();
  const address = receiver.local as { abstract: string };
  const sender = await bound();
  while (sender.trySend('x', address));
  expect(() => sender.sendSync('late', address, { timeout: 30 })).toThrow(failing('ETIMEDOUT'));
});

test('SOCK-042 SOCK-043: nobody there is ECONNREFUSED or ENOENT; somebody else’s receiver EPERM', async () => {
  const sender = await bound();
  await expect(sender.send('x', { abstract: freshName() })).rejects.toThrow(
    failing('ECONNREFUSED'),
  );
  await expect(sender.send('x', { path: freshPath() })).rejects.toThrow(failing('ENOENT'));
  const receiver = await bound();
  const taken = closing(await Datagram.connect(receiver.local as { abstract: string }));
  await expect(sender.send('x', taken.local as { abstract: string })).rejects.toThrow(
    failing('EPERM'),
  );
  await expect(sender.send('x', null)).rejects.toThrow(TypeError);
});

test('SOCK-060: descriptors belong to their datagram; unread ones go with it', async () => {
  const receiver = await bound();
  const address = receiver.local as { abstract: string };
  const sender = await bound();
  const fd = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(fd));
  await sender.send('two', address, { fds: [fd, fd] });
  await sender.send('none', address);
  const two = await receiver.receive();
  expect(two.fds).toHaveLength(2);
  expect(two.fds).toBe(two.fds);
  for (const each of two.fds) closeSync(each);
  expect((await receiver.receive()).fds).toEqual([]);
  const before = descriptors();
  await sender.send('surplus', address, { fds: [fd, fd] });
  await expect(receiver.receive({ maxFds: 1 })).rejects.toThrow(failing('ERR_FDS_TRUNCATED'));
  expect(descriptors()).toEqual(before);
});

test('UDP: replies to `from`, over v4 and v6', async () => {
  for (const host of ['127.0.0.1', '::1']) {
    const receiver = await bound({ host, port: 0 });
    const sender = await bound({ host, port: 0 });
    await sender.send('ping', receiver.local as { host: string; port: number });
    const { from, peer } = await receiver.receive();
    expect([from, peer]).toEqual([sender.local, null]);
    await receiver.send('pong', from as { host: string; port: number });
    expect(String((await sender.receive()).data)).toBe('pong');
  }
});

test('SOCK-004 SOCK-072: bind({ reclaim }) takes over a stale path only', async () => {
  const path = freshPath();
  const first = await bound({ path }, { reclaim: true });
  await expect(Datagram.bind({ path }, { reclaim: true })).rejects.toThrow(failing('EADDRINUSE'));
  first.close();
  await bound({ path }, { reclaim: true });
  await expect(Datagram.bind({ path: folder })).rejects.toThrow(failing('EADDRINUSE'));
});

test('SOCK-081: notify() tells the manager, and a manager hears systemd-notify and lets it go', async () => {
  const manager = await bound({ abstract: freshName() });
  expect(await notify('READY=1')).toBe(false);
  process.env['NOTIFY_SOCKET'] = `@${(manager.local as { abstract: string }).abstract}`;
  onTestFinished(() => void delete process.env['NOTIFY_SOCKET']);
  expect(await notify({ READY: 1, STATUS: 'fine' })).toBe(true);
  const { data, peer } = await manager.receive();
  expect([String(data), peer]).toEqual(['READY=1\nSTATUS=fine', self]);
  const tool = Peer.start('systemd-notify', ['--ready'], { env: process.env });
  expect(String((await manager.receive()).data)).toContain('READY=1');
  const barrier = await manager.receive();
  expect(String(barrier.data)).toBe('BARRIER=1');
  for (const fd of barrier.fds) closeSync(fd);
  expect(await tool.ended).toMatchObject({ code: 0 });
});

test('Datagram.receive() takes several out of the kernel at once, and whoever comes next has them in order, within what he wants', async () => {
  const receiver = closing(await Datagram.bind());
  const sender = closing(
    await Datagram.connect({ abstract: (receiver.local as never)['abstract'] }),
  );
  await receivePlain(sender, receiver);
  for (let i = 0; i < 5; i++) sender.sendSync(`${i}-datagram`);
  expect(String((await receiver.receive()).data)).toBe('0-datagram');
  expect(() => receiver.release()).toThrow(failing('EBUSY'));
  expect(receiver.tryReceive({ maxBytes: 2 })).toMatchObject({
    truncated: true,
    data: Buffer.from('1-'),
  });
  expect(String(receiver.receiveSync().data)).toBe('2-datagram');
  expect(String((await receiver.receive({ timeout: 0 })).data)).toBe('3-datagram');
  await sender.send('5', undefined, { fds: [sender] });
  expect(String((await receiver.receive()).data)).toBe('4-datagram');
  await expect(receiver.receive({ maxFds: 0 })).rejects.toThrow(failing('ERR_FDS_TRUNCATED'));
  expect(receiver.tryReceive()).toBe(undefined);
});

test('Datagram.close() closes descriptors of datagrams that were taken ahead', async () => {
  const receiver = await Datagram.bind();
  const sender = closing(
    await Datagram.connect({ abstract: (receiver.local as never)['abstract'] }),
  );
  await receivePlain(sender, receiver);
  await sender.send('first');
  await sender.send('second', undefined, { fds: [sender, sender] });
  const before = descriptors().length;
  await receiver.receive();
  receiver.close();
  expect(descriptors().length).toBe(before - 1);
});

test('for await of a seqpacket connection has packets whole, also long ones', async () => {
  const [left, right] = pair('seqpacket');
  const long = Buffer.alloc(150_000, 'x');
  const sending = left.send(long).then(() => left.end());
  const packets: number[] = [];
  for await (const packet of right) packets.push(packet.length);
  await sending;
  expect(packets).toEqual([150_000]);
});

test('datagrams that are received together are whole, each with its own sender, long ones too', async () => {
  const receiver = await bound();
  const senders = [await bound(), await bound()];
  const to = receiver.local as { abstract: string };
  const first = await Datagram.connect(to);
  closing(first);
  await receivePlain(first, receiver);
  const texts = ['short', 'x'.repeat(3000), 'y'.repeat(90_000), '', 'z'.repeat(300)];
  for (const [i, text] of texts.entries()) senders[i % 2]!.sendSync(text, to);
  for (const [i, text] of texts.entries()) {
    const { data, from, peer, truncated } =
      i === 0 ? receiver.receiveSync() : await receiver.receive();
    expect(String(data)).toBe(text);
    expect({ from, peer, truncated }).toEqual({
      from: senders[i % 2]!.local,
      peer: self,
      truncated: false,
    });
  }
});

test('receiveSync() that waits gets what a child sends, one by one and many at once', async () => {
  const path = freshPath();
  const receiver = await bound({ path });
  const code = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for i in range(500): s.sendto(str(i).encode(), sys.argv[1])
`;
  const child = Peer.start('python3', ['-c', code, path]);
  for (let i = 0; i < 500; i++) expect(String(receiver.receiveSync().data)).toBe(String(i));
  expect(await child.ended).toMatchObject({ code: 0 });
});

test('release() rejects sends that wait for a full receiver', async () => {
  const receiver = await bound();
  const address = receiver.local as { abstract: string };
  const sender = await bound();
  while (sender.trySend('x', address));
  const waiting = sender.send('late', address);
  const outcome = waiting.catch((error: unknown) => error);
  closeSync(sender.release());
  expect(await outcome).toEqual(failing('ERR_CLOSED'));
});

test('unref(): sends that wait for a full receiver do not keep the process alive', async () => {
  const peer = Peer.node(new URL('./fixtures/unref.mjs', import.meta.url));
  expect(await peer.ended).toMatchObject({ code: 0, stdout: 'false\n', stderr: '' });
});

test('send() to a full receiver by a long path is not overtaken by later ones', async () => {
  const deep = join(folder, 'd'.repeat(100));
  mkdirSync(deep);
  const to = { path: join(deep, 'receiver'), viaDirectory: true };
  const receiver = await bound(to);
  const sender = await bound();
  let sent = 0;
  while (sender.trySend(String(sent), to)) sent += 1;
  const first = sender.send('first', to);
  receiver.tryReceive();
  expect(sender.trySend('overtakes', to)).toBe(false);
  const second = sender.send('second', to);
  const got: string[] = [];
  while (got.length < sent + 1) got.push(String((await receiver.receive()).data));
  await Promise.all([first, second]);
  expect(got.slice(-2)).toEqual(['first', 'second']);
});

test('one over 2 GiB is EMSGSIZE, too, and of a stream as much is taken as fits', async () => {
  const sender = await bound();
  const receiver = await bound();
  // Untouched, it takes no memory.
  const huge = new Uint8Array(2 ** 31 + 16);
  const connected = closing(await Datagram.connect(receiver.local!));
  await expect(connected.send(huge)).rejects.toThrow(failing('EMSGSIZE'));
  await expect(sender.send(huge, receiver.local!)).rejects.toThrow(failing('EMSGSIZE'));
  const [left, right] = pair();
  const taken = left.tryWrite(huge);
  expect(taken).toBeGreaterThan(0);
  expect(right.available).toBe(taken);
});
