import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { MessageChannelAdapter } from './message-channel.js';
import { longest, next, open } from './message-channel-ends.js';
import { rejects, start, throws } from './outcome.js';
import { assertSameBytes, payload, Sequence } from './payload.js';

/** Each message whole, once and in order. */
export const messages: readonly Case<MessageChannelAdapter>[] = [
  {
    key: 'boundaries',
    ids: 'MQ-021 SVMSG-017 SOCK-036 SOCK-045',
    promise: 'receive() gives each message whole, once and in order, of random sizes',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const sequence = new Sequence(31);
      const limit = Math.min(longest(sender), 5_000);
      const all = Array.from({ length: 300 }, (_, seed) =>
        payload(1 + sequence.below(limit), seed + 1),
      );
      const sending = start(async () => {
        for (const message of all) await sender.send(message);
      });
      for (const [index, message] of all.entries()) {
        assertSameBytes(await next(receiver), message, `message ${index}`);
      }
      await sending.given();
      assert.equal(receiver.tryReceive(), undefined, 'there are more messages than were sent');
    },
  },
  {
    key: 'concurrent-sends',
    ids: '',
    promise: 'send() keeps the order of calls that were not awaited',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const size = Math.min(longest(sender), 3_000);
      const all = Array.from({ length: 60 }, (_, index) =>
        payload(1 + ((index * 977) % size), index),
      );
      const sends = all.map((message) => start(() => sender.send(message)));
      for (const [index, message] of all.entries()) {
        assertSameBytes(await next(receiver), message, `message ${index}`);
      }
      for (const sent of sends) await sent.given();
    },
  },
  {
    key: 'empty-message',
    ids: 'MQ-022 SVMSG-010 SOCK-037 RING-005',
    promise: 'send() of no bytes gives a message of no bytes, not the end',
    needs: ['emptyMessages'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      await sender.send('');
      await sender.send('x');
      assert.equal((await next(receiver)).length, 0);
      assert.equal(String(await next(receiver)), 'x');
    },
  },
  {
    key: 'longest-message',
    ids: 'MQ-023 RING-005',
    promise: 'send() takes maxMessageSize; one byte more is EMSGSIZE and nothing of it is sent',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const { maxMessageSize } = sender.traits;
      assert.ok(Number.isInteger(maxMessageSize) && maxMessageSize > 0);
      const message = payload(longest(sender), 32);
      const sent = start(() => sender.send(message));
      assertSameBytes(await next(receiver), message);
      await sent.given();
      if (maxMessageSize > longest(sender)) return;
      const tooLong = payload(maxMessageSize + 1);
      await rejects(() => sender.send(tooLong), 'EMSGSIZE');
      throws(() => sender.trySend(tooLong), 'EMSGSIZE');
      assert.equal(receiver.tryReceive(), undefined);
      await sender.send('after');
      assert.equal(String(await next(receiver)), 'after');
    },
  },
  {
    key: 'string',
    ids: '',
    promise: 'send() takes a string as UTF-8, and just the bytes of a view',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      await sender.send('grüße, 世界\0!');
      assert.equal(String(await next(receiver)), 'grüße, 世界\0!');
      const memory = payload(100, 33);
      await sender.send(memory.subarray(10, 20));
      assertSameBytes(await next(receiver), memory.subarray(10, 20));
    },
  },
  {
    key: 'owned-messages',
    ids: '',
    promise: 'receive() gives bytes that nothing overwrites, and send() is done with its memory',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const memory = Buffer.alloc(Math.min(200, longest(sender)));
      const received: Buffer[] = [];
      for (let i = 0; i < 50; i++) {
        memory.fill(i);
        await sender.send(memory);
        memory.fill(0xff);
        received.push(await next(receiver));
      }
      for (const [index, message] of received.entries()) {
        assertSameBytes(message, Buffer.alloc(memory.length, index), `message ${index}`);
      }
    },
  },
  {
    key: 'priorities',
    ids: 'MQ-025',
    promise: 'receive() gives the highest priority first, and equal ones in the order of sending',
    needs: ['priorities'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      assert.equal(sender.traits.priorities, true);
      const priorities = [1, 5, 3, 5, 0];
      for (const [index, priority] of priorities.entries()) {
        await sender.send(String(index), { priority });
      }
      const order: string[] = [];
      for (let i = 0; i < priorities.length; i++) order.push(String(await next(receiver)));
      assert.deepEqual(order, ['1', '3', '2', '0', '4']);
    },
  },
  {
    key: 'traits',
    ids: '',
    promise: 'traits tell the same on both ends, completely, and agree with what is declared',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const { traits } = sender;
      assert.deepEqual({ ...traits }, { ...receiver.traits });
      assert.ok(traits.mechanism.length > 0);
      assert.ok(['kernel', 'frames'].includes(traits.boundaries));
      const flags = ['priorities', 'persistent', 'multipleSenders', 'multipleReceivers'] as const;
      for (const flag of [...flags, 'crossMachine' as const]) {
        assert.equal(typeof traits[flag], 'boolean', flag);
      }
      assert.equal(traits.priorities, adapter.lacks?.priorities === undefined);
    },
  },
];
