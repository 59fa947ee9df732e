import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';

import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test } from 'vitest';

import { freshName, freshPath } from './place.js';

const { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET } = posix;

const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });

function closing(fd: number): number {
  onTestFinished(() => {
    try {
      posix.close(fd);
    } catch {
      // The test has closed it.
    }
  });
  return fd;
}

const socket = (domain = AF_UNIX, type = SOCK_STREAM): number =>
  closing(posix.socket(domain, type));

function pair(type = SOCK_STREAM): [number, number] {
  const [left, right] = posix.socketpair(AF_UNIX, type);
  return [closing(left), closing(right)];
}

const flagsOf = (fd: number): number =>
  Number.parseInt(
    /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!,
    8,
  );

test('SOCK-001: socket() is close-on-exec and non-blocking from birth; so is what accept() gives close-on-exec', async () => {
  const server = socket();
  expect(flagsOf(server) & 0o2004000).toBe(0o2004000);
  posix.bind(server, { abstract: freshName() });
  posix.listen(server);
  await posix.connect(socket(), posix.getsockname(server)!);
  const { fd } = await posix.accept(server);
  expect(flagsOf(closing(fd)) & 0o2000000).toBe(0o2000000);
});

test.each([SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET])(
  'SOCK-002: socketpair() of type %d gives two connected sockets without names',
  async (type) => {
    const [left, right] = pair(type);
    expect([posix.getsockname(left), posix.getpeername(right)]).toEqual([null, null]);
    expect(await posix.send(left, 'hello')).toBe(5);
    expect(String(await posix.recv(right, 100))).toBe('hello');
  },
);

test('SOCK-003: socketpair() refuses AF_INET, unknown families and types', () => {
  expect(() => posix.socketpair(AF_INET, SOCK_STREAM)).toThrow(failing('ENOTSUP'));
  expect(() => posix.socketpair(12345, SOCK_STREAM)).toThrow(failing('EAFNOSUPPORT'));
  expect(() => posix.socketpair(AF_UNIX, 99)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/EINVAL|ESOCKTNOSUPPORT/) }),
  );
});

test('SOCK-004: bind() of a path makes a socket with what the umask leaves, which stays after close()', () => {
  const path = freshPath();
  const fd = socket();
  posix.bind(fd, { path });
  const { mode } = statSync(path);
  expect(mode & 0o170000).toBe(0o140000);
  expect(mode & 0o777).toBe(0o777 & ~process.umask());
  posix.close(fd);
  expect(statSync(path).isSocket()).toBe(true);
});

test('SOCK-005 SOCK-076: bind() of a path that exists is EADDRINUSE, whatever it is, SO_REUSEADDR or not', () => {
  const [live, file] = [freshPath(), freshPath()];
  posix.bind(socket(), { path: live });
  writeFileSync(file, '');
  for (const path of [live, file]) {
    const fd = socket();
    posix.setsockopt(fd, SOL_SOCKET, posix.SO_REUSEADDR, true);
    expect(() => posix.bind(fd, { path })).toThrow(failing('EADDRINUSE'));
  }
});

test('SOCK-006 SOCK-007: bind() again is EINVAL; a missing directory ENOENT, a file as one ENOTDIR', () => {
  const fd = socket();
  posix.bind(fd, { path: freshPath() });
  expect(() => posix.bind(fd, { path: freshPath() })).toThrow(failing('EINVAL'));
  expect(() => posix.bind(socket(), { path: `${freshPath()}/s` })).toThrow(failing('ENOENT'));
  expect(() => posix.bind(socket(), { path: `${process.execPath}/s` })).toThrow(failing('ENOTDIR'));
});

test('SOCK-008 SOCK-009: a path has at most 107 bytes of UTF-8, and is never cut', () => {
  const fit = '/tmp/'.padEnd(107, 'x');
  for (const path of [`${fit}x`, '/tmp/'.padEnd(200, 'x'), '/tmp/'.padEnd(60, 'é')]) {
    expect(() => posix.bind(socket(), { path })).toThrow(failing('ENAMETOOLONG'));
  }
});

test('SOCK-011 SOCK-012 SOCK-013: an abstract name has exactly its bytes, and is free at once', () => {
  const name = Buffer.concat([Buffer.from(freshName()), Buffer.from([0, 1, 0xff, 0])]);
  const fd = socket();
  posix.bind(fd, { abstract: name });
  expect(posix.getsockname(fd)).toEqual({ abstract: name });
  expect(() => posix.bind(socket(), { abstract: name })).toThrow(failing('EADDRINUSE'));
  posix.bind(socket(), { abstract: Buffer.concat([name, Buffer.alloc(1)]) });
  posix.close(fd);
  posix.bind(socket(), { abstract: name });
});

test('SOCK-016: bind({ autobind: true }) gives an abstract name of five hexadecimal digits', () => {
  const fd = socket(AF_UNIX, SOCK_DGRAM);
  posix.bind(fd, { autobind: true });
  expect(posix.getsockname(fd)).toEqual({ abstract: expect.stringMatching(/^[\da-f]{5}$/) });
});

test('SOCK-017 SOCK-018: connect() is ENOENT without a path, ECONNREFUSED where nobody listens', async () => {
  const [stale, file, bound] = [freshPath(), freshPath(), freshPath()];
  const fd = socket();
  posix.bind(fd, { path: stale });
  posix.close(fd);
  writeFileSync(file, '');
  posix.bind(socket(), { path: bound });
  await expect(posix.connect(socket(), { path: freshPath() })).rejects.toThrow(failing('ENOENT'));
  for (const path of [stale, file, bound]) {
    await expect(posix.connect(socket(), { path })).rejects.toThrow(failing('ECONNREFUSED'));
    expect(() => posix.connectSync(socket(), { path })).toThrow(failing('ECONNREFUSED'));
  }
});

test('SOCK-019 SOCK-021: connect() to another type is EPROTOTYPE, again EISCONN', async () => {
  const [datagrams, stream] = [{ path: freshPath() }, { abstract: freshName() }];
  posix.bind(socket(AF_UNIX, SOCK_DGRAM), datagrams);
  await expect(posix.connect(socket(), datagrams)).rejects.toThrow(failing('EPROTOTYPE'));
  const server = socket();
  posix.bind(server, stream);
  posix.listen(server);
  const client = socket();
  await posix.connect(client, stream);
  await expect(posix.connect(client, stream)).rejects.toThrow(failing('EISCONN'));
});

test('SOCK-022 SOCK-023 SOCK-024: beyond the backlog connect() waits for room, and goes on when there is', async () => {
  const address = { abstract: freshName() };
  const server = socket();
  posix.bind(server, address);
  posix.listen(server, 0);
  expect(posix.tryConnect(socket(), address)).toBe(true);
  const second = socket();
  expect(posix.tryConnect(second, address)).toBe(false);
  await expect(posix.connect(second, address, { timeout: 20 })).rejects.toThrow(
    failing('ETIMEDOUT'),
  );
  const connecting = posix.connect(second, address);
  closing((await posix.accept(server)).fd);
  await connecting;
  closing((await posix.accept(server)).fd);
});

test('SOCK-025 SOCK-028: accept() and listen() of what cannot', async () => {
  const notSocket = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(notSocket));
  await expect(posix.accept(socket())).rejects.toThrow(failing('EINVAL'));
  await expect(posix.accept(socket(AF_UNIX, SOCK_DGRAM))).rejects.toThrow(failing('ENOTSUP'));
  await expect(posix.accept(notSocket)).rejects.toThrow(failing('ENOTSOCK'));
  await expect(posix.accept(2 ** 31 - 1)).rejects.toThrow(failing('EBADF'));
  expect(() => posix.listen(socket())).toThrow(failing('EINVAL'));
  expect(() => posix.listen(socket(AF_UNIX, SOCK_DGRAM))).toThrow(failing('ENOTSUP'));
  expect(() => posix.listen(notSocket)).toThrow(failing('ENOTSOCK'));
});

test('SOCK-027: accept() of a peer that has closed succeeds; its data comes, then the end', async () => {
  const address = { abstract: freshName() };
  const server = socket();
  posix.bind(server, address);
  posix.listen(server);
  const client = socket();
  await posix.connect(client, address);
  posix.sendSync(client, 'gone');
  posix.close(client);
  const fd = closing((await posix.accept(server)).fd);
  expect(String(await posix.recv(fd, 10))).toBe('gone');
  expect(await posix.recv(fd, 10)).toHaveLength(0);
});

test('SOCK-029 SOCK-030 SOCK-031: a stream joins what was sent; after close() the end or ECONNRESET, and EPIPE', async () => {
  const [left, right] = pair();
  for (const part of ['a', 'b', 'c']) posix.sendSync(left, part);
  expect(String(posix.recvSync(right, 10))).toBe('abc');
  posix.sendSync(right, 'unread');
  posix.close(left);
  await expect(posix.recv(right, 10)).rejects.toThrow(failing('ECONNRESET'));
  expect(await posix.recv(right, 10)).toHaveLength(0);
  await expect(posix.send(right, 'x')).rejects.toThrow(failing('EPIPE'));
});

test('SOCK-032: trySend() takes a part, then nothing, when there is no room', () => {
  const [left] = pair();
  const taken = posix.trySend(left, Buffer.alloc(1 << 22))!;
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(1 << 22);
  expect(posix.trySend(left, Buffer.alloc(1 << 20))).toBe(undefined);
});

test('SOCK-033 SOCK-034: shutdown() ends one direction; what is no socket or no direction is refused', async () => {
  const [left, right] = pair();
  posix.shutdown(left, 'write');
  expect(await posix.recv(right, 1)).toHaveLength(0);
  posix.sendSync(right, 'still');
  expect(String(await posix.recv(left, 10))).toBe('still');
  posix.shutdown(left, 'read');
  await expect(posix.send(right, 'x')).rejects.toThrow(failing('EPIPE'));
  expect(() => posix.shutdown(socket(AF_INET), 'both')).toThrow(failing('ENOTCONN'));
  posix.shutdown(socket(), 'both');
  expect(() => posix.shutdown(left, 9)).toThrow(failing('EINVAL'));
});

test('SOCK-038 SOCK-046: recvmsg() of more than there is room for says truncated', async () => {
  for (const type of [SOCK_DGRAM, SOCK_SEQPACKET]) {
    const [left, right] = pair(type);
    posix.sendSync(left, 'too long');
    posix.sendSync(left, 'next');
    expect(await posix.recvmsg(right, { size: 3 })).toMatchObject({ truncated: true });
    expect(String((await posix.recvmsg(right, { size: 10 })).data)).toBe('next');
  }
});

test('SOCK-039 SOCK-048: a message over the send buffer is EMSGSIZE', () => {
  for (const type of [SOCK_DGRAM, SOCK_SEQPACKET]) {
    const [left] = pair(type);
    expect(() => posix.sendSync(left, Buffer.alloc(1 << 20))).toThrow(failing('EMSGSIZE'));
  }
});

test('SOCK-044: recvfrom() of a sender without a name has no address', async () => {
  const address = { abstract: freshName() };
  const receiver = socket(AF_UNIX, SOCK_DGRAM);
  posix.bind(receiver, address);
  await posix.sendto(socket(AF_UNIX, SOCK_DGRAM), 'hi', address);
  expect(await posix.recvfrom(receiver, 10)).toMatchObject({ address: null });
});

test('SOCK-061: recvmsg(MSG_PEEK) duplicates descriptors at each look; each is the caller’s', async () => {
  const [left, right] = pair();
  posix.sendmsgSync(left, { data: 'x', fds: [left] });
  const request = { size: 1, maxFds: 1 };
  const looked = posix.tryRecvmsg(right, { ...request, flags: posix.MSG_PEEK })!;
  const taken = posix.tryRecvmsg(right, request)!;
  expect([looked.fds.length, taken.fds.length]).toEqual([1, 1]);
  for (const fd of [...looked.fds, ...taken.fds]) posix.close(fd);
});

test('SOCK-065: SO_PEERCRED of a socket without a peer is no process', () => {
  const credentials = new Int32Array(
    Uint8Array.from(posix.getsockopt(socket(AF_INET), SOL_SOCKET, posix.SO_PEERCRED, 12)).buffer,
  );
  expect([...credentials]).toEqual([0, -1, -1]);
});

test('SOCK-067: SO_PEERGROUPS has the groups of the peer', () => {
  const [left] = pair();
  const groups = posix.getsockopt(left, SOL_SOCKET, posix.SO_PEERGROUPS, 4096);
  expect(groups.length % 4).toBe(0);
});

test('SOCK-068 SOCK-069: SCM_CREDENTIALS come with SO_PASSCRED, also from who attaches none', async () => {
  const [left, right] = pair(SOCK_DGRAM);
  posix.setsockopt(right, SOL_SOCKET, posix.SO_PASSCRED, true);
  const self = { pid: process.pid, uid: process.getuid!(), gid: process.getgid!() };
  posix.sendSync(left, 'x');
  expect((await posix.recvmsg(right, { size: 1 })).credentials).toEqual(self);
  posix.sendmsgSync(left, { data: 'x', credentials: self });
  expect((await posix.recvmsg(right, { size: 1 })).credentials).toEqual(self);
});

test('credentials that are no object are refused, and nothing is sent', () => {
  const [left, right] = pair(SOCK_DGRAM);
  for (const credentials of [null, 5, 'root']) {
    const message = { data: 'x', credentials } as unknown as posix.OutgoingMessage;
    expect(() => posix.trySendmsg(left, message)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
    );
  }
  expect(posix.tryRecv(right, 1)).toBeUndefined();
});

test('SOCK-070: getpeername() of an unconnected socket is ENOTCONN', () => {
  expect(posix.getsockname(socket())).toBe(null);
  expect(() => posix.getpeername(socket())).toThrow(failing('ENOTCONN'));
});

test('SOCK-077 SOCK-080: SO_SNDBUF doubles; SO_RCVTIMEO takes bytes', () => {
  const fd = socket();
  posix.setsockopt(fd, SOL_SOCKET, posix.SO_SNDBUF, 10_000);
  expect(posix.getsockopt(fd, SOL_SOCKET, posix.SO_SNDBUF)).toBe(20_000);
  posix.setsockopt(fd, SOL_SOCKET, posix.SO_RCVTIMEO, Buffer.alloc(16));
});

test('send() that waits rejects when its data is transferred away, and sends nothing', async () => {
  const [left, right] = pair(SOCK_DGRAM);
  while (posix.trySend(left, 'x') !== undefined);
  const data = new Uint8Array(1000).fill(65);
  const sent = posix.send(left, data);
  structuredClone(data, { transfer: [data.buffer] });
  const lengths = new Set<number>();
  const drain = (): void => {
    for (let got = posix.tryRecv(right, 2000); got; got = posix.tryRecv(right, 2000)) {
      lengths.add(got.length);
    }
  };
  drain();
  await expect(sent).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  drain();
  expect([...lengths]).toEqual([1]);
});

test('a socket that gets the number of a closed one has waits of its own', async () => {
  const [left, right] = pair();
  const old = posix.recv(left, 10);
  closeSync(left);
  const pairs: [number, number][] = [];
  while (!pairs.flat().includes(left)) pairs.push(pair());
  const [one, other] = pairs.at(-1)!;
  const peer = one === left ? other : one;
  expect(posix.tryRecv(left, 10)).toBe(undefined);
  expect(() => posix.recvSync(left, 10, 0, { timeout: 0 })).toThrow(failing('ETIMEDOUT'));
  const waiting = posix.recv(left, 10);
  posix.trySend(peer, 'to the new');
  expect(String(await waiting)).toBe('to the new');
  posix.close(left);
  posix.trySend(right, 'to the old');
  expect(String(await old)).toBe('to the old');
});
