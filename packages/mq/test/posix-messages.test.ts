import { receiveAny } from '@octoipc/mq';
import { describe, expect, test } from 'vitest';

import { codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { CALLS } from './asleep.js';
import { again, beBusy, isPending, posix } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);

/** Puts descriptor 3 in non-blocking mode, and makes room once the other side waits in poll(2). */
const UNBLOCKING = `
import ctypes, fcntl, os, sys
fcntl.fcntl(3, fcntl.F_SETFL, fcntl.fcntl(3, fcntl.F_GETFL) | os.O_NONBLOCK)
print("unblocked", flush=True)
path = f"/proc/{sys.argv[1]}/task/{sys.argv[1]}/syscall"
while open(path).read().split()[0] != sys.argv[2]: pass
message = ctypes.create_string_buffer(64)
ctypes.CDLL(None).mq_receive(3, message, 64, None)
`;

const text = (message: { data: Buffer } | undefined): string => String(message?.data);

describe('PosixQueue.send()', () => {
  test('MQ-021 MQ-034: the same bytes, whatever kind of view they were', async () => {
    const queue = posix();
    const memory = Uint8Array.from({ length: 40 }, (_, i) => i);
    const views = [memory.subarray(5, 9), new DataView(memory.buffer, 3, 4), Buffer.from('äöü')];
    for (const view of views) {
      await queue.send(view as Uint8Array);
      const wanted = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
      expect((await queue.receive()).data).toEqual(wanted);
    }
  });

  test('MQ-022: an empty message is one, with its priority', async () => {
    const queue = posix();
    await queue.send('', { priority: 7 });
    expect(await queue.receive()).toEqual({ data: Buffer.alloc(0), priority: 7 });
  });

  test('MQ-023: EMSGSIZE one byte over the limit says both sizes, and queues nothing', async () => {
    const queue = posix({ maxMessageSize: 16 });
    for (const send of [queue.send, queue.trySend, queue.sendSync]) {
      const error = await failure(() => send.call(queue, Buffer.alloc(17)));
      expect(error).toMatchObject({ code: 'EMSGSIZE', syscall: 'mq_send', target: queue.name });
      expect(error.hint).toMatch(/17 .*16 /);
    }
    expect(queue.attributes.currentMessages).toBe(0);
    await queue.send(Buffer.alloc(16, 'x'));
    expect((await queue.receive()).data).toHaveLength(16);
  });

  test('MQ-024: priorities from 0 to 32767, and nothing else', async () => {
    const queue = posix();
    await queue.send('x', { priority: 32_767 });
    for (const priority of [32_768, -1, 1.5, NaN, '5', null]) {
      const code = await codeOf(() => queue.send('x', { priority: priority as number }));
      expect(code).toMatch(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/);
    }
    expect(queue.attributes.currentMessages).toBe(1);
  });

  test('MQ-025: the highest priority first, equal ones in the order of sending', async () => {
    const queue = posix({ maxMessages: 5 });
    const sent = [1, 5, 3, 5, 0];
    for (const [index, priority] of sent.entries()) await queue.send(String(index), { priority });
    const messages = await queue.receiveMany();
    expect(messages.map((message) => [text(message), message.priority])).toEqual([
      ['1', 5],
      ['3', 5],
      ['2', 3],
      ['0', 1],
      ['4', 0],
    ]);
  });

  test('MQ-027: waits while the queue is full, until another process has received', async () => {
    const queue = posix({ maxMessages: 1 });
    await queue.send('first');
    const second = queue.send('second');
    expect(await isPending(second)).toBe(true);
    const other = Peer.node(peer, ['receive', queue.name]);
    await other.line();
    expect(await other.report()).toEqual({ text: 'first', kind: 0 });
    await second;
    expect(text(await queue.receive())).toBe('second');
  });

  test('MQ-028: trySend() is false when it is full, and changes nothing', () => {
    const queue = posix({ maxMessages: 1 });
    expect(queue.trySend('kept')).toBe(true);
    expect(queue.trySend('not this')).toBe(false);
    expect(text(queue.tryReceive())).toBe('kept');
    expect(queue.tryReceive()).toBeUndefined();
  });

  test('MQ-041: ETIMEDOUT queues nothing', async () => {
    const queue = posix({ maxMessages: 1 });
    queue.trySend('kept');
    expect(await codeOf(() => queue.send('late', { timeout: 5 }))).toBe('ETIMEDOUT');
    expect(await codeOf(() => queue.sendSync('late', { timeout: 5 }))).toBe('ETIMEDOUT');
    expect(text(queue.tryReceive())).toBe('kept');
    expect(queue.tryReceive()).toBeUndefined();
  });

  test('BIND-007: what is sent is what it was at the call, though it had to wait', async () => {
    const queue = posix({ maxMessages: 1 });
    queue.trySend('first');
    const data = Buffer.from('before');
    const [second, third] = [queue.send(data), queue.send(data)];
    data.fill('x');
    expect(text(queue.tryReceive())).toBe('first');
    await second;
    expect(text(queue.tryReceive())).toBe('before');
    await third;
    expect(text(queue.tryReceive())).toBe('before');
  });

  test('BIND-007: and though it was not tried before it had to let others have their turn', async () => {
    const queue = posix({ maxMessages: 1 });
    const sent: string[] = [];
    const received: string[] = [];
    for (let i = 0; i < 200; i++) {
      const data = Buffer.from(`message ${i}`);
      sent.push(String(data));
      const sending = queue.send(data);
      data.fill('x');
      await sending;
      received.push(text(queue.tryReceive()));
    }
    expect(received).toEqual(sent);
  });

  test('BIND-007: and though it was not tried because all before it had to wait', async () => {
    const queue = posix({ maxMessages: 1 });
    const received: string[] = [];
    queue.trySend('message 0');
    for (let i = 1; i < 40; i++) {
      const data = Buffer.from(`message ${i}`);
      const sending = queue.send(data);
      data.fill('x');
      received.push(text(queue.tryReceive()));
      await sending;
    }
    expect(received).toEqual(Array.from({ length: 39 }, (_, i) => `message ${i}`));
  });

  test('sendSync() waits though who shares the descriptor has put it in non-blocking mode', async () => {
    const queue = posix({ maxMessages: 1 });
    queue.sendSync('first');
    const args = ['-c', UNBLOCKING, String(process.pid), String(CALLS.poll)];
    const stdio = ['pipe', 'pipe', 'pipe', queue.fd] as const;
    const sharer = Peer.start('python3', args, { stdio: [...stdio] });
    expect(await sharer.line()).toBe('unblocked');
    expect(queue.nonblocking).toBe(true);
    queue.sendSync('second');
    expect(text(queue.tryReceive())).toBe('second');
    expect(await sharer.ended).toMatchObject({ code: 0 });
  });

  test('BIND-006: memory that is shared between threads is refused, and nothing is queued', async () => {
    const queue = posix();
    const shared = Buffer.from(new SharedArrayBuffer(8));
    const error = await failure(() => queue.send(shared));
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(error.message).toContain('Buffer.from');
    expect(queue.attributes.currentMessages).toBe(0);
  });
});

describe('PosixQueue.receive()', () => {
  test('MQ-039: takes what came before its time was over, though the event loop was busy', async () => {
    const [queue, another] = [posix(), posix()];
    for (let i = 0; i < 5; i++) {
      const waits = [queue.receive({ timeout: 5 }), receiveAny([another], { timeout: 5 })];
      again(queue).trySend('in time');
      again(another).trySend('in time');
      beBusy(10);
      for (const wait of waits) expect(text(await wait)).toBe('in time');
    }
  });

  test('MQ-031: waits until another process has sent', async () => {
    const queue = posix();
    const message = queue.receive();
    expect(await isPending(message)).toBe(true);
    Peer.node(peer, ['send', queue.name, 'at last', 2]);
    expect(await message).toEqual({ data: Buffer.from('at last'), priority: 2 });
  });

  test('MQ-032: tryReceive() is undefined when there is nothing', () => {
    expect(posix().tryReceive()).toBeUndefined();
  });

  test('MQ-033: has room for the longest message, so a short one fits, too', async () => {
    const queue = posix({ maxMessages: 2, maxMessageSize: 8192 });
    await queue.send('short');
    await queue.send(Buffer.alloc(8192, 'l'));
    expect((await queue.receiveMany()).map(({ data }) => data.length)).toEqual([5, 8192]);
  });

  test('MQ-037 MQ-074: ETIMEDOUT not before its time, which the wall clock does not measure', async () => {
    const queue = posix();
    const now = Date.now;
    try {
      Date.now = () => 0;
      const begin = performance.now();
      expect(await codeOf(() => queue.receive({ timeout: 30 }))).toBe('ETIMEDOUT');
      expect(await codeOf(() => queue.receiveSync({ timeout: 30 }))).toBe('ETIMEDOUT');
      expect(performance.now() - begin).toBeGreaterThanOrEqual(59);
    } finally {
      Date.now = now;
    }
  });

  test('MQ-038 MQ-039: a timeout of 0 gives what is there, and ETIMEDOUT at once when nothing is', async () => {
    const queue = posix();
    await queue.send('there');
    expect(text(await queue.receive({ timeout: 0 }))).toBe('there');
    expect(await codeOf(() => queue.receive({ timeout: 0 }))).toBe('ETIMEDOUT');
    expect(await codeOf(() => queue.receiveSync({ timeout: 0 }))).toBe('ETIMEDOUT');
  });

  test.each([-1, NaN, '5', null])(
    'MQ-040: a timeout of %j is refused, even if it would not wait',
    async (timeout) => {
      const queue = posix();
      queue.trySend('there');
      const code = await codeOf(() => queue.receive({ timeout: timeout as number }));
      expect(code).toMatch(/^ERR_(OUT_OF_RANGE|INVALID_ARG_TYPE)$/);
      expect(text(queue.tryReceive())).toBe('there');
    },
  );

  test('MQ-036: one message serves one of those who wait, the first', async () => {
    const queue = posix();
    const waits = [queue.receive(), queue.receive(), again(queue).receive()];
    await queue.send('only one');
    expect(text(await Promise.any(waits))).toBe('only one');
    expect(await isPending(waits[1]!)).toBe(true);
    expect(queue.attributes.currentMessages).toBe(0);
    await queue.send('for the others');
    await queue.send('for the others');
    await Promise.all(waits);
  });

  test('MQ-073: 100 pending receives reject with ERR_CLOSED, and a message that comes stays', async () => {
    const queue = posix();
    const other = again(queue);
    const waits = Array.from({ length: 100 }, () => codeOf(() => queue.receive()));
    queue.close();
    await other.send('for somebody else');
    expect(new Set(await Promise.all(waits))).toEqual(new Set(['ERR_CLOSED']));
    expect(text(other.tryReceive())).toBe('for somebody else');
  });

  test('MQ-068: a receiver that is killed while it waits takes nothing', async () => {
    const queue = posix();
    const victim = Peer.node(peer, ['waiting', queue.name]);
    await victim.line();
    victim.child.kill('SIGKILL');
    await victim.ended;
    await queue.send('not lost');
    expect(text(await queue.receive())).toBe('not lost');
  });

  test('MQ-067: a message is there whole when its sender was killed after sending', async () => {
    const queue = posix();
    const victim = Peer.node(peer, ['send', queue.name, 'x'.repeat(64)]);
    await victim.line();
    victim.child.kill('SIGKILL');
    await victim.ended;
    expect(text(await queue.receive())).toBe('x'.repeat(64));
  });
});

describe('a blocking call in the main thread', () => {
  test('sleeps in the kernel’s own: the description goes to blocking mode, and other calls still do not wait', async () => {
    const queue = posix({ maxMessages: 1 });
    queue.sendSync('first');
    expect(queue.nonblocking).toBe(false);
    expect(queue.trySend('second')).toBe(false);
    expect(await codeOf(() => queue.sendSync('second', { timeout: 1 }))).toBe('ETIMEDOUT');
    expect(String(queue.receiveSync().data)).toBe('first');
    expect(queue.tryReceive()).toBeUndefined();
    expect(await codeOf(() => queue.receiveSync({ timeout: 1 }))).toBe('ETIMEDOUT');
    const waiting = queue.receive();
    expect(await codeOf(() => queue.receiveSync())).toBe('EBUSY');
    await queue.send('third');
    expect(String((await waiting).data)).toBe('third');
  });

  test('leaves a mode alone that the user has set', () => {
    const queue = posix({ maxMessages: 1 });
    queue.nonblocking = true;
    queue.sendSync('first');
    expect([queue.nonblocking, String(queue.receiveSync().data)]).toEqual([true, 'first']);
  });
});
