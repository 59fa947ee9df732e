import { createServer, request } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { randomBytes } from 'node:crypto';

import { frameSender } from '@octoipc/core';
import { connect, Connection, socketPair } from '@octoipc/socket';
import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, pair, server } from './opened.js';
import { freshName, freshPath } from './place.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });
type Place = { abstract: string };

async function overTcp(options?: object): Promise<[Connection, Connection]> {
  const listening = await server({ host: '127.0.0.1', port: 0 }, options);
  const client = closing(
    await connect(listening.address as { host: string; port: number }, options),
  );
  return [client, closing(await listening.accept())];
}

test('SOCK-033 TCP-007: end() tells the other side the end, after all that was sent; it still reads', async () => {
  for (const [left, right] of [pair(), pair('seqpacket'), await overTcp()]) {
    void left.send('last words');
    await left.end();
    expect(String(await right.receive())).toBe('last words');
    expect(await right.receive()).toBe(null);
    await right.send('answer');
    expect(String(await left.receive())).toBe('answer');
    await expect(left.send('x')).rejects.toThrow(failing('EPIPE'));
  }
});

test('SOCK-045 SOCK-046 SOCK-048: a seqpacket keeps records, and refuses what is too long or empty', async () => {
  const [left, right] = pair('seqpacket');
  for (const record of ['abc', 'defgh']) left.sendSync(record);
  expect(String(right.receiveSync())).toBe('abc');
  expect(String(right.tryReceive())).toBe('defgh');
  expect(right.tryReceive()).toBe(undefined);
  await expect(left.send(Buffer.alloc(1 << 20))).rejects.toThrow(failing('EMSGSIZE'));
  await expect(left.send('')).rejects.toThrow(TypeError);
  const large = randomBytes(150_000);
  await left.send(large);
  expect((await right.receive())!.equals(large)).toBe(true);
  left.sendSync('cut');
  expect(String(await right.read({ maxBytes: 2 }))).toBe('cu');
});

test('SOCK-047: a record without bytes of a foreign peer is one, not the end', async () => {
  const [fd, right] = posix.socketpair(posix.AF_UNIX, posix.SOCK_SEQPACKET);
  const { Connection: Handle } = await import('@octoipc/socket');
  const connection = closing(Handle.fromFd(right));
  posix.sendSync(fd, '');
  expect(await connection.receive()).toHaveLength(0);
  posix.sendSync(fd, '');
  posix.sendSync(fd, 'more');
  posix.close(fd);
  expect(await connection.receive()).toHaveLength(0);
  expect(String(await connection.receive())).toBe('more');
  expect(await connection.receive()).toBe(null);
});

test('seqpacket: release() refuses while packets wait that were received ahead', async () => {
  const [left, right] = pair('seqpacket');
  // Several are received at once after some that brought no descriptors.
  for (let i = 0; i < 20; i++) left.sendSync('a');
  for (let i = 0; i < 18; i++) await right.receive();
  expect(right.available).toBe(2);
  expect(() => right.release()).toThrow(failing('EBUSY'));
  for (let i = 0; i < 2; i++) expect(String(right.tryReceive())).toBe('a');
  posix.close(right.release());
});

test('a packet over 64 KiB is whole, however long maxMessageSize is', async () => {
  for (const maxMessageSize of [100_000, 0x7fff_ffff, 0xffff_ffff]) {
    const [left, right] = posix.socketpair(posix.AF_UNIX, posix.SOCK_SEQPACKET);
    const [sender, receiver] = [left, right].map((fd) =>
      closing(Connection.fromFd(fd, { maxMessageSize })),
    );
    sender!.sendSync(Buffer.alloc(100_000, 'x'));
    expect(receiver!.receiveSync()!.equals(Buffer.alloc(100_000, 'x'))).toBe(true);
    await sender!.send(Buffer.alloc(90_000, 'y'));
    expect((await receiver!.receive())!.equals(Buffer.alloc(90_000, 'y'))).toBe(true);
  }
});

test('packets that are received together are whole, in order, with their descriptors', async () => {
  const [left, right] = pair('seqpacket');
  for (let i = 0; i < 16; i++) {
    left.sendSync('plain');
    await right.receive();
  }
  const long = 'y'.repeat(90_000);
  left.sendSync('first');
  left.sendSync('x'.repeat(3000));
  left.sendSync(long);
  left.sendFdsSync([left], 'with one');
  left.sendSync('last');
  for (const text of ['first', 'x'.repeat(3000)]) expect(String(await right.receive())).toBe(text);
  expect(String(right.receiveSync())).toBe(long);
  const { data, fds } = (await right.receiveFds())!;
  expect([String(data), fds.length]).toEqual(['with one', 1]);
  posix.close(fds[0]!);
  expect(String(await right.receive())).toBe('last');
});

test.each([false, true])(
  'empty packets of a foreign peer are told from the end, closed: %o',
  async (closed) => {
    const [left, right] = pair('seqpacket');
    for (let i = 0; i < 16; i++) {
      left.sendSync('plain');
      await right.receive();
    }
    // Before the end those without bytes are part of it.
    const texts = closed ? ['a', '', 'b'] : ['a', '', 'b', '', ''];
    for (const text of texts) posix.sendSync(left.fd, Buffer.from(text));
    if (closed) left.close();
    for (const text of texts) expect(String(await right.receive())).toBe(text);
    left.close();
    expect(await right.receive()).toBeNull();
    expect(right.receiveSync()).toBeNull();
  },
);

test('SOCK-031 TCP-004: close() with unread data is ECONNRESET for the other side, then the end', async () => {
  for (const [left, right] of [pair(), await overTcp()]) {
    await right.write('unread');
    while (left.available < 6) await new Promise((resolve) => setImmediate(resolve));
    left.close();
    await expect(right.read()).rejects.toThrow(failing('ECONNRESET'));
  }
});

test('SOCK-073: a peer that was killed is ECONNRESET with unread data, else the end', async () => {
  const path = freshPath();
  const listening = await server({ path });
  for (const unread of [true, false]) {
    const other = Peer.node(new URL('./fixtures/peer.mjs', import.meta.url), [
      'listen-not',
      `unix:${path}`,
    ]);
    const connection = closing(await listening.accept());
    await other.line();
    if (unread) await connection.write('unread');
    other.child.kill('SIGKILL');
    await other.ended;
    const outcome = await connection.read().catch((error: unknown) => error);
    expect(outcome).toEqual(unread ? failing('ECONNRESET') : null);
    await expect(connection.write('x')).rejects.toThrow(failing('EPIPE'));
  }
});

test('receive() rejects before memory is taken for a length over the limit, and when half a frame came', async () => {
  const [left, right] = socketPair({ maxMessageSize: 1000 });
  closing(left);
  closing(right);
  await expect(left.send(Buffer.alloc(1001))).rejects.toThrow(failing('EMSGSIZE'));
  left.writeSync(Uint8Array.of(255, 255, 255, 127));
  await expect(right.receive()).rejects.toThrow(failing('EMSGSIZE'));
  const [half, other] = pair();
  half.writeSync(Uint8Array.of(10, 0, 0, 0, 1, 2));
  await expect(other.receive({ timeout: 10 })).rejects.toThrow(failing('ETIMEDOUT'));
  half.close();
  await expect(other.receive()).rejects.toThrow(failing('ERR_TRUNCATED'));
});

test('a client that never reads makes write() wait, with bounded memory; the server goes on', async () => {
  const listening = await server({ abstract: freshName() });
  closing(await connect(listening.address as Place));
  const stuck = closing(await listening.accept());
  const writing = stuck.write(Buffer.alloc(1 << 24), { timeout: 50 });
  await expect(writing).rejects.toThrow(failing('ETIMEDOUT'));
  const client = closing(await connect(listening.address as Place));
  const served = closing(await listening.accept());
  await client.send('me too');
  expect(String(await served.receive())).toBe('me too');
});

test('TCP-011: 8 MiB both ways at once arrive as they were sent', async () => {
  for (const [left, right] of [pair(), await overTcp()]) {
    const [there, back] = [randomBytes(1 << 23), randomBytes(1 << 23)];
    const both = [left, right].map((end) => end.readAll());
    await Promise.all([
      left.write(there).then(() => left.end()),
      right.write(back).then(() => right.end()),
    ]);
    const [atLeft, atRight] = await Promise.all(both);
    expect(atRight!.equals(there) && atLeft!.equals(back)).toBe(true);
  }
});

test('TCP-009 TCP-003: reusePort shares a port; a port is free again at once', async () => {
  const first = await server({ host: '127.0.0.1', port: 0 }, { reusePort: true });
  const address = first.address as { host: string; port: number };
  await server(address, { reusePort: true });
  const alone = await server({ host: '127.0.0.1', port: 0 });
  const port = alone.address as { host: string; port: number };
  const client = closing(await connect(port));
  (await alone.accept()).close();
  alone.close();
  await client.read();
  await server(port);
});

test('TCP: noDelay is on, keepAlive as it was asked for; v6; names are looked up', async () => {
  const [client] = await overTcp({ keepAlive: { idle: 5000, interval: 2000, count: 3 } });
  const option = (level: number, name: number): number => posix.getsockopt(client.fd, level, name);
  expect(option(posix.IPPROTO_TCP, posix.TCP_NODELAY)).toBe(1);
  expect(option(posix.SOL_SOCKET, posix.SO_KEEPALIVE)).toBe(1);
  expect(option(posix.IPPROTO_TCP, posix.TCP_KEEPIDLE)).toBe(5);
  expect(option(posix.IPPROTO_TCP, posix.TCP_KEEPCNT)).toBe(3);
  client.setNoDelay(false).setKeepAlive(false);
  expect(option(posix.IPPROTO_TCP, posix.TCP_NODELAY)).toBe(0);
  expect([client.peer, client.remote]).toEqual([
    null,
    { host: '127.0.0.1', port: expect.any(Number) },
  ]);
  expect(() => client.peerProcess()).toThrow(failing('ERR_UNSUPPORTED'));
  const six = await server('tcp://[::1]:0');
  closing(await connect(six.address as { host: string; port: number }));
  expect(closing(await six.accept()).local).toEqual(six.address);
  const named = await server({ host: 'localhost', port: 0 });
  closing(await connect({ host: 'localhost', port: (named.address as { port: number }).port }));
});

test('TCP-001: connect() is ECONNREFUSED where nobody listens', async () => {
  const gone = await server({ host: '127.0.0.1', port: 0 });
  const address = gone.address as { host: string; port: number };
  gone.close();
  await expect(connect(address)).rejects.toThrow(failing('ECONNREFUSED'));
});

test('toDuplex() pipes both ways, half-closes, and closes with its connection', async () => {
  const [left, right] = pair();
  const data = randomBytes(1 << 20);
  const echo = right.toDuplex({ allowHalfOpen: true });
  const echoing = pipeline(echo, echo);
  const duplex = left.toDuplex({ allowHalfOpen: true });
  const writing = pipeline(Readable.from([data]), duplex, { end: true });
  const parts: Buffer[] = [];
  for await (const part of duplex) parts.push(part as Buffer);
  await Promise.all([writing, echoing]);
  expect(Buffer.concat(parts).equals(data)).toBe(true);
  const [one, two] = pair();
  const stream = one.toDuplex();
  const closed = once(stream, 'close');
  one.close();
  await closed;
  expect(await two.read()).toBe(null);
});

test('toDuplex() is what http listens on and asks over, with keep-alive', async () => {
  const listening = await server({ path: freshPath() });
  const http = createServer((incoming, response) => void incoming.pipe(response));
  onTestFinished(() => http.closeAllConnections());
  const client = closing(await connect(listening.address as { path: string }));
  http.emit('connection', (await listening.accept()).toDuplex());
  const asking = request({
    method: 'POST',
    path: '/',
    createConnection: () => client.toDuplex() as never,
  });
  asking.end('a body');
  const [response] = (await once(asking, 'response')) as [AsyncIterable<Buffer>];
  let body = '';
  for await (const part of response) body += String(part);
  expect(body).toBe('a body');
});

test('toDuplex() of a seqpacket has a packet a chunk', async () => {
  const [left, right] = pair('seqpacket');
  const duplex = left.toDuplex();
  duplex.write('one');
  duplex.end('two');
  expect([
    String(await right.receive()),
    String(await right.receive()),
    await right.receive(),
  ]).toEqual(['one', 'two', null]);
});

test('toWeb() has web streams of both directions', async () => {
  const [left, right] = pair();
  const { readable, writable } = left.toWeb();
  const writer = writable.getWriter();
  await writer.write('web');
  await writer.close();
  expect(String(await right.readAll())).toBe('web');
  await right.write('back');
  right.close();
  const parts: Uint8Array[] = [];
  for await (const part of readable as unknown as AsyncIterable<Uint8Array>) parts.push(part);
  expect(String(Buffer.concat(parts))).toBe('back');
  expect(left.closed).toBe(true);
});

test('frames of a foreign sender within one read are taken one by one', async () => {
  const [left, right] = pair();
  const sender = frameSender(left);
  await sender.sendMany(['1', '22', '333']);
  for (const text of ['1', '22', '333'])
    expect(String(right.receiveSync({ timeout: 5000 }))).toBe(text);
});
