import { fstatSync, readSync } from 'node:fs';

import { PosixQueue } from '@octoipc/mq';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { again, exists, freshName, posix, SMALL } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);

describe('PosixQueue.open()', () => {
  test('MQ-001: creates a queue without messages, which another process opens by its name', async () => {
    const queue = posix();
    expect(queue.attributes).toEqual({ ...SMALL, currentMessages: 0 });
    const other = Peer.node(peer, ['send', queue.name, 'hello', 3]);
    await other.line();
    expect(await queue.receive()).toEqual({ data: Buffer.from('hello'), priority: 3 });
  });

  test('MQ-002: ENOENT with a hint where there is none', async () => {
    const error = await failure(() => PosixQueue.open('/octoipc-nowhere'));
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'mq_open', target: '/octoipc-nowhere' });
    expect(error.errno).toBeLessThan(0);
    expect(error.hint).toContain('create');
  });

  test('MQ-003: EEXIST of an exclusive creation', async () => {
    const { name } = posix();
    expect(await codeOf(() => PosixQueue.open(name, { create: true, exclusive: true }))).toBe(
      'EEXIST',
    );
  });

  test('MQ-004: one of several processes creates it, the others are told EEXIST', async () => {
    const name = freshName();
    onTestFinished(() => PosixQueue.unlink(name));
    const racers = Array.from({ length: 4 }, () => Peer.node(peer, ['race', name]));
    for (const racer of racers) await racer.line();
    for (const racer of racers) racer.tell('go');
    const results = await Promise.all(racers.map((racer) => racer.line()));
    expect(results.toSorted()).toEqual(['EEXIST', 'EEXIST', 'EEXIST', 'ok']);
    for (const racer of racers) racer.tell('end');
  });

  test('MQ-005: what exists keeps its attributes, its mode and its messages', () => {
    const queue = posix({ mode: 0o640 });
    queue.trySend('kept');
    const options = { create: true, mode: 0o600, maxMessages: 1, maxMessageSize: 1 };
    const other = again(queue, options);
    expect(other.attributes).toEqual({ ...SMALL, currentMessages: 1 });
    expect(fstatSync(other.fd).mode & 0o777).toBe(0o640);
    expect(String(other.tryReceive()?.data)).toBe('kept');
  });

  test('MQ-006: the defaults of the system without attributes, and the other one with one', () => {
    const limits = PosixQueue.limits();
    const whole = posix({ maxMessages: undefined, maxMessageSize: undefined });
    expect(whole.attributes.maxMessages).toBe(limits.defaultMaxMessages);
    expect(whole.attributes.maxMessageSize).toBe(limits.defaultMaxMessageSize);
    whole.close();
    const half = posix({ maxMessages: 1, maxMessageSize: undefined });
    expect(half.attributes).toMatchObject({ maxMessages: 1, maxMessageSize: 8192 });
  });

  test.each([0, -1, 1.5])(
    'MQ-007: ERR_OUT_OF_RANGE for %d messages, and nothing is made',
    async (maxMessages) => {
      const name = freshName();
      const open = () => PosixQueue.open(name, { create: true, maxMessages });
      expect(await codeOf(open)).toBe('ERR_OUT_OF_RANGE');
      expect(await codeOf(() => PosixQueue.open(name, { create: true, maxMessageSize: 0 }))).toBe(
        'ERR_OUT_OF_RANGE',
      );
      expect(exists(name)).toBe(false);
    },
  );

  test('MQ-013: names of up to 255 bytes with the slash, and ENAMETOOLONG beyond', async () => {
    const longest = freshName().padEnd(255, 'x');
    posix({}, longest);
    expect(exists(longest)).toBe(true);
    const error = await failure(() => PosixQueue.open(`${longest}x`, { create: true }));
    expect(error).toMatchObject({ code: 'ENAMETOOLONG', syscall: 'mq_open' });
    expect(error.hint).toContain('256');
  });

  test.each(['jobs', '/a/b', '//a', '/', '', '/.', '/..', '/a\0b'])(
    'MQ-014 MQ-015 MQ-053: ERR_INVALID_ARG_VALUE for %j, to open and to unlink',
    async (name) => {
      expect(await codeOf(() => PosixQueue.open(name, { create: true }))).toBe(
        'ERR_INVALID_ARG_VALUE',
      );
      expect(await codeOf(() => PosixQueue.unlink(name))).toBe('ERR_INVALID_ARG_VALUE');
    },
  );

  test('MQ-017: the mode is exact, whatever the umask, and the owner this process', () => {
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    const { mode, uid, gid } = fstatSync(posix({ mode: 0o666 }).fd);
    expect(mode & 0o777).toBe(0o666);
    expect([uid, gid]).toEqual([process.geteuid?.(), process.getegid?.()]);
  });

  test('MQ-019 MQ-020: EBADF with a hint to send or receive against the access', async () => {
    const queue = posix();
    const reader = again(queue, { access: 'receive' });
    const writer = again(queue, { access: 'send' });
    for (const send of [
      () => reader.send('x'),
      () => reader.trySend('x'),
      () => reader.sendSync('x'),
    ]) {
      const error = await failure(send);
      expect(error).toMatchObject({ code: 'EBADF', syscall: 'mq_send' });
      expect(error.hint).toContain("'receive'");
    }
    for (const receive of [
      () => writer.receive(),
      () => writer.tryReceive(),
      () => writer.receiveMany(),
    ]) {
      expect(await codeOf(receive)).toBe('EBADF');
    }
    await writer.send('x');
    expect((await reader.receive()).data).toEqual(Buffer.from('x'));
  });
});

describe('PosixQueue', () => {
  test('MQ-044: attributes are those of its creation, and count the messages', async () => {
    const queue = posix({ maxMessages: 3, maxMessageSize: 16 });
    await queue.send('one');
    await queue.send('two');
    expect(queue.attributes).toEqual({ maxMessages: 3, maxMessageSize: 16, currentMessages: 2 });
    await queue.receive();
    expect(queue.attributes.currentMessages).toBe(1);
    expect(queue.maxMessageSize).toBe(16);
  });

  test('MQ-045 MQ-046 MQ-047: nonblocking is of one open description, and changes nothing else', async () => {
    const queue = posix({ maxMessages: 1 });
    const other = again(queue);
    expect([queue.nonblocking, other.nonblocking]).toEqual([true, true]);
    queue.nonblocking = false;
    expect([queue.nonblocking, other.nonblocking]).toEqual([false, true]);
    expect(queue.attributes).toEqual({ ...SMALL, maxMessages: 1, currentMessages: 0 });
    expect(await codeOf(() => (queue.nonblocking = 2 as never))).toBe('ERR_INVALID_ARG_TYPE');
    const child = Peer.node(peer, ['inherited', 3], { stdio: ['pipe', 'pipe', 'pipe', queue.fd] });
    expect(await child.report()).toMatchObject({ nonblocking: false });
    expect(String(queue.tryReceive()?.data)).toBe('inherited');
  });

  test('MQ-042: calls of a handle do not wait, whatever the flag of its description says', async () => {
    const queue = posix({ maxMessages: 1 });
    queue.nonblocking = false;
    expect(queue.tryReceive()).toBeUndefined();
    expect(queue.trySend('x')).toBe(true);
    expect(queue.trySend('y')).toBe(false);
    expect(await codeOf(() => queue.send('y', { timeout: 5 }))).toBe('ETIMEDOUT');
  });

  test('MQ-048: is used no more once closed', async () => {
    const queue = posix();
    const { fd } = queue;
    queue.close();
    queue.close();
    for (const use of [
      () => queue.send('x'),
      () => queue.trySend('x'),
      () => queue.receive(),
      () => queue.tryReceive(),
      () => queue.receiveSync(),
      () => queue.attributes,
      () => queue.nonblocking,
      () => queue.notifications(),
      () => queue.fd,
    ]) {
      expect(await codeOf(use)).toBe('ERR_CLOSED');
    }
    expect(await codeOf(() => fstatSync(fd))).toBe('EBADF');
  });

  test('MQ-049: adopts no descriptor of anything else, which stays open', async () => {
    for (const fd of [0, 1]) {
      expect(await codeOf(() => PosixQueue.fromFd(fd))).toBe('ERR_INVALID_ARG_VALUE');
      fstatSync(fd);
    }
    expect(await codeOf(() => PosixQueue.fromFd(1_000_000))).toBe('EBADF');
    const queue = posix();
    expect(await codeOf(() => PosixQueue.fromFd(queue.fd))).toBe('EEXIST');
    const { name } = queue;
    const adopted = PosixQueue.fromFd(queue.release());
    onTestFinished(() => adopted.close());
    expect([queue.closed, adopted.name, adopted.access]).toEqual([true, name, 'both']);
    expect(adopted.trySend('x')).toBe(true);
  });

  test('fromFd() in a worker leaves nobody else’s descriptor closed when the worker ends', async () => {
    const { ended } = Peer.node(new URL('fixtures/adopting.mjs', import.meta.url));
    const stdout = '{"free":true,"same":true,"kept":true}\n';
    expect(await ended).toEqual({ code: 0, signal: null, stdout, stderr: '' });
  });

  test('MQ-018 MQ-064: a child has the descriptor only if it is handed over', async () => {
    const queue = posix();
    const handed = Peer.node(peer, ['inherited', 5], {
      stdio: ['pipe', 'pipe', 'pipe', 'ignore', 'ignore', queue.fd],
    });
    expect(await handed.report()).toEqual({ name: queue.name, access: 'both', nonblocking: true });
    expect(String((await queue.receive()).data)).toBe('inherited');
    const plain = Peer.start('readlink', [`/proc/self/fd/${queue.fd}`]);
    expect((await plain.ended).stdout).not.toContain(queue.name);
  });

  test('MQ-050 MQ-051: unlink() takes the name; open handles go on, and a new queue is another', async () => {
    const queue = posix();
    PosixQueue.unlink(queue.name);
    expect(await codeOf(() => PosixQueue.open(queue.name))).toBe('ENOENT');
    expect(await codeOf(() => PosixQueue.unlink(queue.name))).toBe('ENOENT');
    const next = posix({}, queue.name);
    queue.trySend('old');
    expect(next.tryReceive()).toBeUndefined();
    expect(String(queue.tryReceive()?.data)).toBe('old');
  });

  test('MQ-065: its descriptor reads as a line of text', () => {
    const queue = posix();
    queue.trySend('four');
    const text = Buffer.alloc(100);
    const length = readSync(queue.fd, text, 0, text.length, 0);
    expect(text.toString('latin1', 0, length)).toMatch(/^QSIZE:4\s+NOTIFY:0/);
  });

  test('MQ-066: messages outlive all handles', () => {
    const queue = posix();
    queue.trySend('still here');
    queue.close();
    expect(String(again(queue).tryReceive()?.data)).toBe('still here');
  });
});
