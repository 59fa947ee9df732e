import { describe, expect, test } from 'vitest';

import { codeOf, failure } from '../../core/test/failure.js';
import { filled, sysv, sysvAgain } from './queues.js';

const shown = (message: { data: Buffer; type: number } | undefined | null) =>
  message === undefined || message === null ? message : [String(message.data), message.type];

describe('SysvQueue.send()', () => {
  test('SVMSG-008 SVMSG-010: the same bytes and type, also of an empty message', async () => {
    const queue = sysv();
    await queue.send(Buffer.from([0, 1, 255]), { type: 2 ** 53 - 1 });
    await queue.send('', { type: 3 });
    expect(await queue.receive()).toEqual({ data: Buffer.from([0, 1, 255]), type: 2 ** 53 - 1 });
    expect(await queue.receive()).toEqual({ data: Buffer.alloc(0), type: 3 });
  });

  test.each([0, -1, 1.5, NaN, '5', null])('SVMSG-009: a type of %j is refused', async (type) => {
    const queue = sysv();
    expect(await codeOf(() => queue.send('x', { type: type as number }))).toMatch(/^ERR_/);
    expect(queue.stat().messages).toBe(0);
  });

  test('SVMSG-011: EMSGSIZE over kernel.msgmax says both sizes, and queues nothing', async () => {
    const queue = sysv();
    const length = queue.maxMessageSize + 1;
    for (const send of [queue.send, queue.trySend, queue.sendSync]) {
      const error = await failure(() => send.call(queue, Buffer.alloc(length)));
      expect(error).toMatchObject({ code: 'EMSGSIZE', syscall: 'msgsnd' });
      expect(error.hint).toMatch(new RegExp(`${length} .*${length - 1} `));
    }
    expect(queue.stat().messages).toBe(0);
  });

  test('SVMSG-011: EMSGSIZE of a message that the queue can never hold, instead of waiting for ever', async () => {
    const queue = sysv();
    queue.setStat({ maxBytes: 100 });
    const error = await failure(() => queue.send(Buffer.alloc(101)));
    expect(error).toMatchObject({ code: 'EMSGSIZE' });
    expect(error.hint).toMatch(/101 .*100 /);
  });

  test('SVMSG-012 SVMSG-013: trySend() is false when it is full, of bytes or of messages', () => {
    const queue = sysv();
    queue.setStat({ maxBytes: 100 });
    expect(queue.trySend(Buffer.alloc(100))).toBe(true);
    expect(queue.trySend('x')).toBe(false);
    queue.tryReceive();
    let count = 0;
    while (queue.trySend('')) count += 1;
    expect(count).toBe(100);
  });

  test('SVMSG-039: a smaller message of another handle may overtake one that waits for room', async () => {
    const queue = sysv();
    const other = sysvAgain(queue);
    queue.setStat({ maxBytes: 100 });
    queue.trySend(Buffer.alloc(50));
    const big = queue.send(Buffer.alloc(60));
    expect(other.trySend('small')).toBe(true);
    expect(queue.trySend('not behind one that waits')).toBe(false);
    queue.tryReceive();
    await big;
    expect((await queue.receiveMany()).map(({ data }) => data.length)).toEqual([5, 60]);
  });
});

describe('SysvQueue.receive()', () => {
  test('SVMSG-017 SVMSG-018: the oldest of all, the oldest of a type', () => {
    const queue = filled([3, 1, 2, 1]);
    expect(shown(queue.tryReceive())).toEqual(['0', 3]);
    expect(shown(queue.tryReceive({ type: 2 }))).toEqual(['2', 2]);
    expect(shown(queue.tryReceive({ type: 1 }))).toEqual(['1', 1]);
    expect(queue.tryReceive({ type: 9 })).toBeUndefined();
    expect(shown(queue.tryReceive())).toEqual(['3', 1]);
  });

  test('SVMSG-019: a negative type is the lowest up to it, and the oldest of that', () => {
    const queue = filled([3, 2, 4, 2, 5]);
    expect(shown(queue.tryReceive({ type: -4 }))).toEqual(['1', 2]);
    expect(shown(queue.tryReceive({ type: -4 }))).toEqual(['3', 2]);
    expect(shown(queue.tryReceive({ type: -4 }))).toEqual(['0', 3]);
    expect(queue.tryReceive({ type: -3 })).toBeUndefined();
  });

  test('SVMSG-020: all but a type, said in two ways', async () => {
    const queue = filled([1, 1, 2, 3]);
    expect(shown(queue.tryReceive({ type: 1, except: true }))).toEqual(['2', 2]);
    expect(shown(queue.tryReceive({ except: 1 }))).toEqual(['3', 3]);
    expect(queue.tryReceive({ except: 1 })).toBeUndefined();
    for (const wrong of [{ except: true }, { type: -1, except: true }, { type: 2, except: 1 }]) {
      expect(await codeOf(() => queue.tryReceive(wrong))).toMatch(/^ERR_/);
    }
  });

  test('SVMSG-021: E2BIG of a message over maxBytes, which stays', async () => {
    const queue = filled([1]);
    queue.trySend('long', { type: 2 });
    const error = await failure(() => queue.receive({ type: 2, maxBytes: 3 }));
    expect(error).toMatchObject({ code: 'E2BIG', syscall: 'msgrcv' });
    expect(error.hint).toContain('truncate');
    expect(shown(await queue.receive({ type: 2, maxBytes: 4 }))).toEqual(['long', 2]);
  });

  test('SVMSG-022: truncates, if that is asked for', async () => {
    const queue = sysv();
    for (let i = 0; i < 3; i++) queue.trySend('longer');
    expect(shown(queue.tryReceive({ truncate: 4 }))).toEqual(['long', 1]);
    expect(shown(queue.tryReceive({ truncate: true, maxBytes: 2 }))).toEqual(['lo', 1]);
    expect(shown(queue.tryReceive({ truncate: true }))).toEqual(['longer', 1]);
    expect(queue.tryReceive()).toBeUndefined();
    for (const truncate of [-1, 1.5, 'x'])
      expect(await codeOf(() => queue.receive({ truncate: truncate as number }))).toMatch(/^ERR_/);
  });

  test('SVMSG-023 SVMSG-038: undefined when nothing suits, and no bound below 0', async () => {
    const queue = filled([1]);
    expect(queue.tryReceive({ type: 2 })).toBeUndefined();
    expect(await codeOf(() => queue.tryReceive({ maxBytes: -1 }))).toBe('ERR_OUT_OF_RANGE');
  });

  test('SVMSG-027: peek() copies the message at an index, and leaves it', async () => {
    const queue = filled([7, 8]);
    expect([0, 1, 2].map((index) => shown(queue.peek(index)))).toEqual([['0', 7], ['1', 8], null]);
    expect(queue.stat().messages).toBe(2);
    expect(await codeOf(() => queue.peek(-1))).toBe('ERR_OUT_OF_RANGE');
  });

  test('receiveMany() takes all that suit, or as many as were asked for', async () => {
    const queue = filled([1, 2, 1, 2, 1]);
    expect((await queue.receiveMany({ type: 1, max: 2 })).map(shown)).toEqual([
      ['0', 1],
      ['2', 1],
    ]);
    expect((await queue.receiveMany({ type: 2 })).map(shown)).toEqual([
      ['1', 2],
      ['3', 2],
    ]);
    expect((await queue.receiveMany()).map(shown)).toEqual([['4', 1]]);
  });
});
