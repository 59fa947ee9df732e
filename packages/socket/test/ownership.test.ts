// Who has a socket, and what is left of it when he lets it go.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { Worker } from 'node:worker_threads';

import { Datagram, listen } from '@octoipc/socket';
import * as posix from '@octoipc/socket/posix';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

import { closing, pair } from './opened.js';
import { freshPath } from './place.js';

const { AF_UNIX, SOCK_STREAM } = posix;
const { O_NONBLOCK } = constants;
const failing = (code: string) => expect.objectContaining({ name: 'IpcError', code });

test('Server.release() and Datagram.release() let the lock of reclaim go, and the path stays theirs who have the descriptor', async () => {
  for (const kind of ['server', 'datagram'] as const) {
    const path = freshPath();
    const open = (): Promise<{ release(): number; close(): void }> =>
      kind === 'server'
        ? listen({ path }, { reclaim: true })
        : Datagram.bind({ path }, { reclaim: true });
    const fd = (await open()).release();
    expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([true, false]);
    await expect(open()).rejects.toThrow(failing('EADDRINUSE'));
    expect(existsSync(`${path}.lock`)).toBe(false);
    closeSync(fd);
    const next = closing(await open());
    expect(existsSync(`${path}.lock`)).toBe(true);
    next.close();
    expect([existsSync(path), existsSync(`${path}.lock`)]).toEqual([false, false]);
  }
});

test('fromFd() in a worker takes a duplicate, which the worker’s end closes and nothing else', async () => {
  const code = `
    const { openSync } = require('node:fs');
    const { parentPort } = require('node:worker_threads');
    const { Connection } = require('@octoipc/socket');
    const { socketpair } = require('@octoipc/socket/posix');
    const [left, right] = socketpair(1, 1);
    const connections = [Connection.fromFd(left), Connection.fromFd(right)];
    connections[0].writeSync('x');
    parentPort.postMessage([left, connections[0].fd, String(connections[1].readSync())]);
  `;
  const worker = new Worker(code, { eval: true });
  onTestFinished(async () => void (await worker.terminate()));
  const [given, fd, said] = await new Promise<[number, number, string]>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  expect([said, fd !== given]).toEqual(['x', true]);
  const taken = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  await worker.terminate();
  for (const each of taken) closeSync(each);
});

test('SOCK-059: sockets that were sent through themselves go when everybody has closed them', async () => {
  const [left, right] = pair();
  const inode = /\d+/.exec(readlinkSync(`/proc/self/fd/${left.fd}`))![0];
  const lives = (): boolean =>
    new RegExp(` ${inode}(?: |$)`, 'm').test(readFileSync('/proc/net/unix', 'latin1'));
  await left.sendFds([left, right]);
  await right.sendFds([left, right]);
  expect(lives()).toBe(true);
  left.close();
  right.close();
  while (lives()) {
    // The kernel looks for such rings when sockets are sent or closed.
    for (const each of posix.socketpair(AF_UNIX, SOCK_STREAM)) posix.close(each);
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test('a socket that somebody waits for stays in blocking mode for all who share it', async (context) => {
  context.skip(spawnSync('python3', ['-V']).error !== undefined, 'there is no python3');
  const [left, right] = pair();
  const waiting = left.read();
  const code = `
import fcntl, os, sys
for line in sys.stdin:
    print('blocking' if fcntl.fcntl(3, fcntl.F_GETFL) & os.O_NONBLOCK == 0 else 'not', flush=True)
`;
  const other = Peer.start('python3', ['-c', code], {
    stdio: ['pipe', 'pipe', 'pipe', left.fd],
  });
  const look = (): Promise<string> => {
    other.tell('look');
    return other.line();
  };
  expect(await look()).toBe('blocking');
  right.writeSync('a');
  expect(String(await waiting)).toBe('a');
  expect(await look()).toBe('blocking');
  left.close();
  expect(await look()).toBe('blocking');
});

test('the other side is told at once when a socket is closed that somebody waits for', async () => {
  const [left, right] = pair();
  const waiting = left.read();
  left.close();
  expect(right.tryRead()).toBeNull();
  await expect(waiting).rejects.toThrow(failing('ERR_CLOSED'));
});

test('a relative path is meant as of listen(), wherever the process goes later', async () => {
  const home = process.cwd();
  onTestFinished(() => process.chdir(home));
  const [one, two] = [freshPath(), freshPath()];
  for (const each of [one, two]) mkdirSync(each);
  for (const open of [listen, Datagram.bind]) {
    process.chdir(one);
    const first = await open({ path: 'x.sock' }, { reclaim: true });
    process.chdir(two);
    const second = await open({ path: 'x.sock' }, { reclaim: true });
    first.close();
    expect([readdirSync(one), readdirSync(two)]).toEqual([[], ['x.sock', 'x.sock.lock']]);
    second.close();
    expect(readdirSync(two)).toEqual([]);
  }
});

test('Server.close() removes its own lock only', async () => {
  const path = freshPath();
  const server = await listen({ path }, { reclaim: true });
  renameSync(`${path}.lock`, `${path}.lock.old`);
  writeFileSync(`${path}.lock`, "another's");
  server.close();
  expect([existsSync(path), readFileSync(`${path}.lock`, 'utf8')]).toEqual([false, "another's"]);
});

const flagsOf = (fd: number): number =>
  Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!, 8);

test('Datagram.fromFd() leaves the mode to those who share the socket, and blocks all the same', async () => {
  const name = `octoipc-shared-${process.pid}`;
  const fd = posix.socket(AF_UNIX, posix.SOCK_DGRAM);
  posix.bind(fd, { abstract: name });
  expect(flagsOf(fd) & O_NONBLOCK).toBe(O_NONBLOCK);
  const shared = closing(Datagram.fromFd(fd));
  expect(flagsOf(fd) & O_NONBLOCK).toBe(O_NONBLOCK);
  expect(() => shared.receiveSync({ timeout: 1 })).toThrow(failing('ETIMEDOUT'));
  Peer.start('python3', [
    '-c',
    `import socket; socket.socket(1, 2).sendto(b'from python', '\\0${name}')`,
  ]);
  expect(String(shared.receiveSync().data)).toBe('from python');
});
