import { readSync } from 'node:fs';

import type { PosixQueue } from '@octoipc/mq';
import { describe, expect, test } from 'vitest';

import { codeOf } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { threadsIn, until } from './asleep.js';
import { again, isPending, posix } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);

/** The process that is registered, as the queue itself tells: mq_overview(7). */
function registered({ fd }: PosixQueue): number {
  const text = Buffer.alloc(100);
  const length = readSync(fd, text, 0, text.length, 0);
  return Number(/NOTIFY_PID:(\d+)/.exec(text.toString('latin1', 0, length))?.[1]);
}

/** Takes everything, as whoever was told should. */
function drain(queue: PosixQueue): string[] {
  const seen: string[] = [];
  for (let next = queue.tryReceive(); next !== undefined; next = queue.tryReceive()) {
    seen.push(String(next.data));
  }
  return seen;
}

describe('PosixQueue.notifications()', () => {
  test('MQ-054: tells of a message that comes into the empty queue, from another process too', async () => {
    const queue = posix();
    const notifications = queue.notifications();
    expect(registered(queue)).toBe(process.pid);
    const told = notifications.next();
    expect(await isPending(told)).toBe(true);
    await Peer.node(peer, ['send', queue.name, 'news']).ended;
    expect(await told).toEqual({ done: false, value: { currentMessages: 1 } });
    expect(drain(queue)).toEqual(['news']);
    await notifications.return?.();
  });

  test('MQ-055: renews itself: every edge is told', async () => {
    const queue = posix();
    const seen: string[] = [];
    queue.trySend('0');
    for await (const { currentMessages } of queue.notifications()) {
      expect(currentMessages).toBeGreaterThan(0);
      seen.push(...drain(queue));
      if (seen.length === 5) break;
      queue.trySend(String(seen.length));
    }
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
  });

  test('MQ-056: tells of no message that comes while others are there, but at the start', async () => {
    const queue = posix();
    queue.trySend('before');
    const notifications = queue.notifications();
    expect((await notifications.next()).value).toEqual({ currentMessages: 1 });
    const told = notifications.next();
    queue.trySend('not an edge');
    expect(await isPending(told)).toBe(true);
    drain(queue);
    queue.trySend('an edge');
    expect((await told).value).toEqual({ currentMessages: 1 });
    await notifications.return?.();
  });

  test('MQ-057: EBUSY from the first step where this or another process is registered', async () => {
    const queue = posix();
    const other = Peer.node(peer, ['register', queue.name]);
    expect(await other.line()).toBe('registered');
    expect(registered(queue)).toBe(other.pid);
    const refused = queue.notifications();
    expect(await codeOf(() => refused.next())).toBe('EBUSY');
    expect(await refused.next()).toEqual({ done: true, value: undefined });
    expect(registered(queue)).toBe(other.pid);
    other.tell('go');
    await other.ended;
    const mine = queue.notifications();
    expect(await codeOf(() => again(queue).notifications().next())).toBe('EBUSY');
    expect(registered(queue)).toBe(process.pid);
    await mine.return?.();
  });

  test('MQ-058: leaving the loop gives the registration up, and only our own', async () => {
    const queue = posix();
    const mine = queue.notifications();
    await mine.return?.();
    await mine.return?.();
    expect(registered(queue)).toBe(0);
    const other = Peer.node(peer, ['register', queue.name]);
    expect(await other.line()).toBe('registered');
    await mine.return?.();
    expect(registered(queue)).toBe(other.pid);
    queue.trySend('for the other');
    expect(await other.line()).toBe('told');
  });

  test('MQ-059: survives that another handle of the queue closes, which removes the registration', async () => {
    const queue = posix();
    const notifications = queue.notifications();
    const told = notifications.next();
    again(queue).close();
    expect(registered(queue)).toBe(0);
    queue.trySend('in between');
    expect((await told).value).toEqual({ currentMessages: 1 });
    expect(registered(queue)).toBe(process.pid);
    expect(drain(queue)).toEqual(['in between']);
    await notifications.return?.();
  });

  test('MQ-060: tells nothing of a message that somebody blocks for, and stays registered', async () => {
    const queue = posix();
    const reader = Peer.start('python3', ['-c', BLOCKING_RECEIVER, queue.name]);
    await reader.line();
    await until(() => threadsIn('mq_timedreceive', reader.pid) > 0);
    const notifications = queue.notifications();
    const told = notifications.next();
    queue.trySend('for python');
    expect(await reader.line()).toBe('for python');
    expect(await isPending(told)).toBe(true);
    expect(registered(queue)).toBe(process.pid);
    queue.trySend('for us');
    expect((await told).value).toEqual({ currentMessages: 1 });
    await notifications.return?.();
  });

  test('MQ-061 MQ-062: a registration without signal is used up by a message, and EBUSY until then', async () => {
    const queue = posix();
    const silent = Peer.start('python3', ['-c', SILENT_REGISTRATION, queue.name]);
    expect(await silent.line()).toBe('registered');
    expect(await codeOf(() => queue.notifications().next())).toBe('EBUSY');
    queue.trySend('uses it up');
    expect(registered(queue)).toBe(0);
    const notifications = queue.notifications();
    expect((await notifications.next()).value).toEqual({ currentMessages: 1 });
    await notifications.return?.();
  });

  test('its waits can be aborted and time out, which ends it', async () => {
    const queue = posix();
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborted = queue.notifications({ signal: controller.signal });
    const step = aborted.next();
    controller.abort(reason);
    await expect(step).rejects.toBe(reason);
    expect(registered(queue)).toBe(0);
    expect(await aborted.next()).toEqual({ done: true, value: undefined });
    const late = queue.notifications({ timeout: 5 });
    expect(await codeOf(() => late.next())).toBe('ETIMEDOUT');
    expect(registered(queue)).toBe(0);
  });

  test('closing the queue ends it', async () => {
    const queue = posix();
    const notifications = queue.notifications();
    const step = notifications.next();
    queue.close();
    expect(await step).toEqual({ done: true, value: undefined });
    expect(await notifications.next()).toEqual({ done: true, value: undefined });
  });
});

const LIBRARY = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if not hasattr(libc, 'mq_open'): libc = ctypes.CDLL('librt.so.1', use_errno=True)
queue = libc.mq_open(sys.argv[1].encode(), os.O_RDWR)
`;

const BLOCKING_RECEIVER = `${LIBRARY}
print('ready', flush=True)
data = ctypes.create_string_buffer(64)
length = libc.mq_receive(queue, data, ctypes.c_size_t(64), None)
print(data.raw[:length].decode(), flush=True)
`;

const SILENT_REGISTRATION = `${LIBRARY}
event = ctypes.create_string_buffer(64)
ctypes.memmove(ctypes.addressof(event) + 12, ctypes.byref(ctypes.c_int(1)), 4)
print('registered' if libc.mq_notify(queue, event) == 0 else ctypes.get_errno(), flush=True)
sys.stdin.read()
`;
