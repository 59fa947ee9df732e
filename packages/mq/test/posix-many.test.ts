import { readdirSync } from 'node:fs';

import { PosixQueue } from '@octoipc/mq';
import { describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { disturb } from './asleep.js';
import { posix } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);

const text = (message: { data: Buffer } | undefined): string => String(message?.data);

describe('PosixQueue.receiveMany()', () => {
  test('takes all that is there, or as many as were asked for', async () => {
    const queue = posix();
    for (const word of ['a', 'b', 'c']) await queue.send(word);
    expect((await queue.receiveMany({ max: 2 })).map(text)).toEqual(['a', 'b']);
    expect((await queue.receiveMany()).map(text)).toEqual(['c']);
    const later = queue.receiveMany();
    await queue.send('d');
    expect((await later).map(text)).toEqual(['d']);
  });
});

describe('for await of PosixQueue', () => {
  test('gives messages until the handle closes, and takes none that was not asked for', async () => {
    const queue = posix();
    for (const word of ['a', 'b', 'c']) await queue.send(word);
    for await (const message of queue) {
      expect(text(message)).toBe('a');
      break;
    }
    expect(queue.attributes.currentMessages).toBe(2);
    const seen: string[] = [];
    for await (const message of queue) {
      seen.push(text(message));
      if (seen.length === 2) queue.close();
    }
    expect(seen).toEqual(['b', 'c']);
  });

  test('lets the event loop turn, however many messages there are', async () => {
    const queue = posix();
    let turned = false;
    setImmediate(() => (turned = true));
    queue.trySend('again');
    for await (const { data } of queue) {
      if (turned) break;
      queue.trySend(data);
    }
    expect(turned).toBe(true);
  });
});

test('MQ-029 MQ-030 MQ-043 MQ-076 BIND-003: sendSync() blocks on after signals, SIGSTOP and SIGCONT', async () => {
  const queue = posix({ maxMessages: 1 });
  queue.trySend('first');
  const blocked = Peer.node(peer, ['blocked', queue.name, 'send']);
  expect(await blocked.line()).toBe('blocked');
  await disturb(blocked, 'poll');
  expect(text(await queue.receive())).toBe('first');
  expect(text(await queue.receive())).toBe('blocked');
  expect(await blocked.line()).toBe('done');
  expect(await blocked.ended).toMatchObject({ code: 0, stderr: '' });
});

test('MQ-035 MQ-043 MQ-076 BIND-003: receiveSync() blocks on after signals, SIGSTOP and SIGCONT', async () => {
  const queue = posix({ maxMessages: 1 });
  const blocked = Peer.node(peer, ['blocked', queue.name, 'receive']);
  expect(await blocked.line()).toBe('blocked');
  await disturb(blocked, 'poll');
  await queue.send('for the blocked');
  expect(await blocked.report()).toEqual({ text: 'for the blocked', kind: 0 });
  expect(await blocked.line()).toBe('done');
  expect(await blocked.ended).toMatchObject({ code: 0, stderr: '' });
});

test('MQ-063: its descriptor is readable while there are messages, writable while there is room', async () => {
  const queue = posix({ maxMessages: 1 });
  const program = 'import select; p = select.poll(); p.register(3); print(dict(p.poll()).get(3))';
  const polled = async (): Promise<number> => {
    const stdio = ['pipe', 'pipe', 'pipe', queue.fd] as const;
    return Number(await Peer.start('python3', ['-c', program], { stdio: [...stdio] }).line());
  };
  const [POLLIN, POLLOUT] = [1, 4];
  expect(await polled()).toBe(POLLOUT);
  queue.trySend('x');
  expect(await polled()).toBe(POLLIN);
  queue.tryReceive();
  expect(await polled()).toBe(POLLOUT);
});

test('MQ-063: 64 that wait take no thread', async () => {
  const queue = posix();
  await queue.receive({ timeout: 1 }).catch(() => {});
  const threads = (): number => readdirSync('/proc/self/task').length;
  const before = threads();
  const waits = Array.from({ length: 64 }, () => queue.receive().catch(() => {}));
  expect(threads()).toBe(before);
  queue.close();
  await Promise.all(waits);
});

test('PosixQueue.limits() tells what the system allows', () => {
  const limits = PosixQueue.limits();
  expect(limits.maxPriority).toBe(32_767);
  expect(limits.maxMessages).toBeGreaterThan(0);
  expect(limits.maxBytes).toBeGreaterThan(0);
});
