import { closeSync, fstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';

import { isIpcError } from '@octoipc/core';
import { createPipe, PipeReader, PipeWriter } from '@octoipc/pipe';
import { SharedMemory } from '@octoipc/shm';
import { connect, Connection, Datagram, listen, Server } from '@octoipc/socket';
import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test } from 'vitest';

import { closing, descriptors, pair, server } from './opened.js';
import { freshName, freshPath } from './place.js';

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });

function open(path = '/dev/null'): number {
  const fd = openSync(path, 'r');
  onTestFinished(() => closeSync(fd));
  return fd;
}

test.each(['stream', 'seqpacket'] as const)(
  'SOCK-049 SOCK-050 SOCK-060: %s: receiveFds() gives new numbers of the same open file, close-on-exec',
  async (type) => {
    const [left, right] = pair(type);
    const path = freshPath();
    writeFileSync(path, 'abcdef');
    const fd = openSync(path, 'r');
    await left.sendFds([fd], 'with it');
    readSync(fd, Buffer.alloc(3));
    closeSync(fd);
    const { data, fds } = (await right.receiveFds())!;
    expect(String(data)).toBe('with it');
    expect(fds).toHaveLength(1);
    expect(readFileSync(fds[0]!, 'latin1')).toBe('def');
    const flags = readFileSync(`/proc/self/fdinfo/${fds[0]}`, 'latin1');
    expect(Number.parseInt(/flags:\s*(\d+)/.exec(flags)![1]!, 8) & 0o2000000).not.toBe(0);
    closeSync(fds[0]!);
  },
);

test.each(['stream', 'seqpacket'] as const)(
  'SOCK-051 SOCK-052: %s: receiveFds() rejects with ERR_FDS_TRUNCATED and closes all, when more came than were asked for',
  async (type) => {
    const [left, right] = pair(type);
    const fd = open();
    const before = descriptors();
    for (const [sent, wanted] of [
      [2, 1],
      [5, 2],
      [253, 252],
      [1, 0],
    ] as const) {
      await left.sendFds(
        Array.from({ length: sent }, () => fd),
        'data',
      );
      const error = await right.receiveFds({ maxFds: wanted }).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'ERR_FDS_TRUNCATED', data: Buffer.from('data') });
    }
    await left.sendFds([fd], 'after');
    const { data, fds } = (await right.receiveFds({ maxFds: 1 }))!;
    expect([String(data), fds.length]).toEqual(['after', 1]);
    closeSync(fds[0]!);
    expect(descriptors().length).toBeLessThanOrEqual(before.length + 3);
  },
);

test('SOCK-053: read() and receive() of data that carries descriptors close them', async () => {
  for (const type of ['stream', 'seqpacket'] as const) {
    const [left, right] = pair(type);
    const fd = open();
    await right.read({ timeout: 0 }).catch(() => {});
    const before = descriptors();
    for (let i = 0; i < 20; i++) await left.sendFds([fd, fd], 'x');
    let bytes = 0;
    while (bytes < 20) bytes += (await right.read())!.length;
    expect(descriptors()).toEqual(before);
  }
});

test('SOCK-054: a stream never joins bytes behind descriptors to them', async () => {
  const [left, right] = pair();
  await left.sendFds([open()], 'first');
  await left.sendFds([open()], 'second');
  await left.write('third');
  for (const [text, count] of [
    ['first', 1],
    ['second', 1],
    ['third', 0],
  ] as const) {
    const { data, fds } = (await right.receiveFds())!;
    expect([String(data), fds.length]).toEqual([text, count]);
    for (const fd of fds) closeSync(fd);
  }
});

test('SOCK-055: sendFds() takes 253 at once, and without data one byte; more are refused', async () => {
  const [left, right] = pair();
  const fd = open();
  await left.sendFds(Array.from({ length: 253 }, () => fd));
  const { data, fds } = (await right.receiveFds())!;
  expect([data.length, fds.length]).toEqual([1, 253]);
  for (const each of fds) closeSync(each);
  for (const count of [254, 10_000]) {
    await expect(left.sendFds(Array.from({ length: count }, () => fd))).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
    );
  }
});

test('SOCK-055 SOCK-068: 253 descriptors go with credentials, which is all that a message takes', () => {
  const [left, right] = posix.socketpair(posix.AF_UNIX, posix.SOCK_DGRAM);
  onTestFinished(() => [left, right].forEach((fd) => posix.close(fd)));
  posix.setsockopt(right, posix.SOL_SOCKET, posix.SO_PASSCRED, true);
  const self = { pid: process.pid, uid: process.getuid!(), gid: process.getgid!() };
  const message = { data: 'x', fds: Array.from({ length: 253 }, () => left), credentials: self };
  posix.sendmsgSync(left, message);
  const { fds, credentials } = posix.tryRecvmsg(right, { size: 1, maxFds: 253 })!;
  for (const fd of fds) closeSync(fd);
  expect([fds.length, credentials]).toEqual([253, self]);
});

test('SOCK-056: sendFds() of one that is closed is EBADF, and nothing is sent', async () => {
  const [left, right] = pair();
  const fd = open();
  const gone = openSync('/dev/null', 'r');
  closeSync(gone);
  await expect(left.sendFds([fd, gone], 'x')).rejects.toThrow(failing('EBADF'));
  expect(right.tryRead()).toBe(undefined);
  const closed = closing(createPipe());
  closed.close();
  await expect(left.sendFds([closed.reader])).rejects.toThrow(failing('ERR_CLOSED'));
});

test('receive() ahead of receiveFds() loses no descriptor of a packet', async () => {
  const [left, right] = pair('seqpacket');
  const fd = open();
  await left.send('plain');
  await left.sendFds([fd], 'with one');
  await left.sendFds([fd, fd], 'unwanted');
  expect(String(await right.receive())).toBe('plain');
  const { data, fds } = (await right.receiveFds())!;
  expect([String(data), fds.length]).toEqual(['with one', 1]);
  closeSync(fds[0]!);
  const before = descriptors();
  expect(String(await right.receive())).toBe('unwanted');
  expect(descriptors()).toEqual(before);
});

test('close() closes descriptors that came and that nobody took', async () => {
  const [left, right] = pair('seqpacket');
  const fd = open();
  const before = descriptors();
  await left.send('first');
  await left.sendFds([fd, fd]);
  await right.receive();
  right.close();
  expect(descriptors().length).toBe(before.length - 1);
});

test('sendFds() carries a pipe end, and a listening socket that goes on listening', async () => {
  const [left, right] = pair();
  const pipe = closing(createPipe());
  const address = { abstract: freshName() };
  const listening = await listen(address);
  await left.sendFds([pipe.reader, listening]);
  pipe.reader.close();
  listening.close();
  const client = closing(await connect(address));
  const [reader, fd] = (await right.receiveFds())!.fds;
  const taken = closing(PipeReader.fromFd(reader!));
  await pipe.writer.write('through the same pipe');
  expect(String(await taken.read())).toBe('through the same pipe');
  const handed = closing(Server.fromFd(fd!));
  const served = closing(await handed.accept());
  await client.send('hello');
  expect(String(await served.receive())).toBe('hello');
});

test('SOCK-062: with SO_PASSRIGHTS off on the receiver, the sender of descriptors is told EPERM', async () => {
  const [left, right] = pair();
  try {
    posix.setsockopt(right.fd, posix.SOL_SOCKET, posix.SO_PASSRIGHTS, false);
  } catch (error) {
    if (!isIpcError(error, 'ENOPROTOOPT')) throw error;
    console.log('this kernel has no SO_PASSRIGHTS (Linux 6.16)');
    return;
  }
  await expect(left.sendFds([open()])).rejects.toThrow(failing('EPERM'));
});

test('TCP-008: sendFds() over TCP is refused; a TCP socket itself travels over a Unix socket', async () => {
  const tcp = await server({ host: '127.0.0.1', port: 0 });
  const client = closing(await connect(tcp.address as { host: string; port: number }));
  const served = await tcp.accept();
  await expect(client.sendFds([0])).rejects.toThrow(failing('ENOTSUP'));
  const [left, right] = pair();
  await left.sendFds([served]);
  served.close();
  const [fd] = (await right.receiveFds())!.fds;
  const moved = closing(Connection.fromFd(fd!));
  await client.write('still connected');
  expect(String(await moved.read())).toBe('still connected');
});

test('fromFd() takes sockets only, each once', () => {
  const fd = open();
  const value = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' });
  expect(() => Connection.fromFd(fd)).toThrow(value);
  const [left] = pair();
  expect(() => Connection.fromFd(left.fd)).toThrow(failing('EEXIST'));
  expect(() => Server.fromFd(left.fd)).toThrow(value);
  expect(() => Connection.fromFd(2 ** 31 - 1)).toThrow(failing('EBADF'));
  fstatSync(fd);
});

test('sendFds() carries a memfd of @octoipc/shm, a pipe end and a file in one message; each works at the other side', async () => {
  for (const type of ['stream', 'seqpacket'] as const) {
    const [left, right] = pair(type);
    const before = descriptors().length;
    const memory = SharedMemory.memfd({ size: 4096 });
    memory.seal('shrink');
    const { reader, writer } = createPipe();
    await left.sendFds([memory, writer], 'memory and pipe');
    writer.close();
    const { data, fds } = (await right.receiveFds())!;
    expect(String(data)).toBe('memory and pipe');
    const same = SharedMemory.fromFd(fds[0]!, { requireSeals: ['shrink'] });
    memory.bytes[7] = 9;
    expect(same.bytes[7]).toBe(9);
    const end = PipeWriter.fromFd(fds[1]!);
    await end.write('through the pipe');
    end.close();
    expect(String(await reader.readAll())).toBe('through the pipe');
    for (const each of [memory, same, reader]) each.close();
    expect(descriptors()).toHaveLength(before);
  }
});

test('a datagram carries a memfd', async () => {
  const [sender, receiver] = [closing(await Datagram.bind()), closing(await Datagram.bind())];
  const memory = closing(SharedMemory.memfd({ size: 64 }));
  memory.bytes.set(Buffer.from('in memory'));
  await sender.send('see', receiver.local!, { fds: [memory] });
  const { fds } = await receiver.receive({ maxFds: 1 });
  const same = closing(SharedMemory.fromFd(fds[0]!));
  expect(Buffer.from(same.bytes.subarray(0, 9)).toString()).toBe('in memory');
});
