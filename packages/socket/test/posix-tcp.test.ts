import { mkdirSync } from 'node:fs';

import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test } from 'vitest';

import { freshPath } from './place.js';

const { AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM } = posix;

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

test('TCP-001 TCP-002 TCP-010: the textbook way on loopback, with v4 and v6', async () => {
  for (const [domain, host] of [
    [AF_INET, '127.0.0.1'],
    [AF_INET6, '::1'],
  ] as const) {
    const server = socket(domain);
    posix.bind(server, { host, port: 0 });
    posix.listen(server, 5);
    const address = posix.getsockname(server)!;
    expect(address).toEqual({ host, port: expect.any(Number) });
    expect(() => posix.bind(socket(domain), address)).toThrow(failing('EADDRINUSE'));
    const client = socket(domain);
    await posix.connect(client, address);
    const { fd, address: from } = await posix.accept(server);
    closing(fd);
    expect(from).toEqual(posix.getsockname(client));
    await posix.send(client, 'over');
    expect(String(await posix.recv(fd, 10))).toBe('over');
    posix.close(server);
    await expect(posix.connect(socket(domain), address)).rejects.toThrow(failing('ECONNREFUSED'));
  }
});

test('TCP-008: descriptors over TCP, which would be dropped, are refused', async () => {
  const server = socket(AF_INET);
  posix.bind(server, { host: '127.0.0.1', port: 0 });
  posix.listen(server);
  const client = socket(AF_INET);
  await posix.connect(client, posix.getsockname(server)!);
  await expect(posix.sendmsg(client, { data: 'x', fds: [client] })).rejects.toThrow(
    failing('ENOTSUP'),
  );
});

test('close() rejects who waits for the descriptor, and refuses what a handle owns', async () => {
  const left = closing(posix.socketpair(AF_UNIX, SOCK_STREAM)[0]);
  const waiting = posix.recv(left, 1);
  posix.close(left);
  await expect(waiting).rejects.toThrow(failing('ERR_CLOSED'));
  expect(() => posix.close(left)).toThrow(failing('EBADF'));
});

test('bad addresses are refused before any system call', () => {
  const value = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' });
  for (const address of [{ path: '' }, { path: 'a\0b' }, { host: 'localhost', port: 1 }, {}]) {
    expect(() => posix.bind(2 ** 30, address as posix.SocketAddress)).toThrow(value);
  }
  mkdirSync(freshPath());
});
