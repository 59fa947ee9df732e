import { json, withCodec } from '@octoipc/core';
import { mqReceiver, mqSender, receiveAny } from '@octoipc/mq';
import { describe, expect, test } from 'vitest';

import { codeOf } from '../../core/test/failure.js';
import { again, isPending, posix, sysv, sysvAgain } from './queues.js';

describe('receiveAny()', () => {
  test('gives the first message of queues of both kinds, and takes none of the others', async () => {
    const [one, two, three] = [posix(), sysv(), posix()];
    const queues = [one, two, three];
    const wait = receiveAny(queues);
    expect(await isPending(wait)).toBe(true);
    two.trySend('of the second', { type: 4 });
    const { queue, data, type, priority } = await wait;
    expect([queue, String(data), type, priority]).toEqual([two, 'of the second', 4, undefined]);
    three.trySend('of the third');
    const next = await receiveAny(queues);
    expect([next.queue, next.priority, next.type]).toEqual([three, 0, undefined]);
  });

  test('asks the first in the list first, and leaves what others have', async () => {
    const [one, two] = [posix(), sysv()];
    one.trySend('a');
    two.trySend('b');
    expect((await receiveAny([two, one])).queue).toBe(two);
    expect((await receiveAny([two, one])).queue).toBe(one);
  });

  test('takes one of the messages that come to all queues in one turn of the event loop', async () => {
    const queues = Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? posix() : sysv()));
    const senders = queues.map((queue) => ('name' in queue ? again(queue) : sysvAgain(queue)));
    for (let round = 0; round < 50; round++) {
      const wait = receiveAny(queues);
      await isPending(wait);
      for (const sender of senders) sender.trySend(round % 2 === 0 ? 'x' : '');
      await wait;
      let left = 0;
      for (const sender of senders) if (sender.tryReceive() !== undefined) left += 1;
      expect(left).toBe(queues.length - 1);
    }
  });

  test('can be aborted, and times out, and takes nothing then', async () => {
    const queues = [posix(), sysv()];
    const reason = new Error('enough');
    const controller = new AbortController();
    const wait = receiveAny(queues, { signal: controller.signal });
    controller.abort(reason);
    await expect(wait).rejects.toBe(reason);
    await expect(receiveAny(queues, { signal: controller.signal })).rejects.toBe(reason);
    expect(await codeOf(() => receiveAny(queues, { timeout: 0 }))).toBe('ETIMEDOUT');
    expect(await codeOf(() => receiveAny(queues, { timeout: 5 }))).toBe('ETIMEDOUT');
    for (const queue of queues) {
      queue.trySend('still there');
      expect(String(queue.tryReceive()?.data)).toBe('still there');
    }
    queues[1]!.trySend('there');
    expect(String((await receiveAny(queues, { timeout: 0 })).data)).toBe('there');
  });

  test('without waiting finds what is there, however often it is asked', async () => {
    const queues = [posix(), sysv()];
    for (let i = 0; i < 300; i++) {
      queues[i % 2]!.trySend(String(i));
      expect(String((await receiveAny(queues, { timeout: 0 })).data)).toBe(String(i));
    }
    expect(await codeOf(() => receiveAny(queues, { timeout: 0 }))).toBe('ETIMEDOUT');
  });

  test('ends with what befalls one of the queues', async () => {
    const [one, two] = [posix(), sysv()];
    const closed = codeOf(() => receiveAny([one, two]));
    one.close();
    expect(await closed).toBe('ERR_CLOSED');
    expect(await codeOf(() => receiveAny([one, two]))).toBe('ERR_CLOSED');
    const removed = codeOf(() => receiveAny([two]));
    two.remove();
    expect(await removed).toBe('EIDRM');
  });

  test.each([undefined, null, [], [5], {}, 'queues'])('refuses %j as queues', async (queues) => {
    expect(await codeOf(() => receiveAny(queues as never))).toMatch(/^ERR_INVALID_ARG/);
  });
});

describe('mqSender() and mqReceiver()', () => {
  test('carry values, by priority where the queue has priorities', async () => {
    const queue = posix();
    const outbox = withCodec(mqSender(again(queue, { access: 'send' })), json);
    const inbox = withCodec(mqReceiver(queue), json);
    await outbox.send({ step: 1 });
    await outbox.send({ step: 2 }, { priority: 3 });
    expect(await inbox.receive()).toEqual({ step: 2 });
    expect(inbox.tryReceive()).toEqual({ step: 1 });
    expect(inbox.tryReceive()).toBeUndefined();
    expect(inbox.traits).toMatchObject({ mechanism: 'mq', priorities: true, maxMessageSize: 64 });
  });

  test('refuse priorities where the queue has types', async () => {
    const queue = sysv();
    const outbox = mqSender(sysvAgain(queue));
    const inbox = mqReceiver(queue);
    expect(outbox.traits).toMatchObject({ mechanism: 'sysv-mq', priorities: false });
    await outbox.send('x', { priority: 0 });
    expect(await codeOf(() => outbox.send('x', { priority: 1 }))).toBe('ERR_INVALID_ARG_VALUE');
    expect(await codeOf(() => outbox.send('x', { priority: 1.5 }))).toBe('ERR_OUT_OF_RANGE');
    expect(String(await inbox.receive())).toBe('x');
    for (const wrong of [undefined, null, {}, 5]) {
      expect(await codeOf(() => mqSender(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(await codeOf(() => mqReceiver(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});
