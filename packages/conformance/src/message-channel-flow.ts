import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { MessageChannelAdapter } from './message-channel.js';
import { flood, next, open, receiveFlood } from './message-channel-ends.js';
import { assertIpcError, rejects, start, stillPending, throws } from './outcome.js';

/** Waiting, the end, and cancelling. */
export const messageFlow: readonly Case<MessageChannelAdapter>[] = [
  {
    key: 'receive-waits',
    ids: 'MQ-031',
    promise: 'receive() waits until there is a message',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const received = start(() => receiver.receive());
      await stillPending(received);
      await sender.send('message');
      assert.equal(String(await received.given()), 'message');
    },
  },
  {
    key: 'try-receive-empty',
    ids: 'MQ-032 PIPE-009',
    promise: 'tryReceive() gives undefined, not the end, when there is nothing now',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      assert.equal(receiver.tryReceive(), undefined);
      await sender.send('x');
      assert.equal(String(await next(receiver)), 'x');
      assert.equal(receiver.tryReceive(), undefined);
    },
  },
  {
    key: 'try-send-full',
    ids: 'MQ-028 SVMSG-012 SOCK-040 RING-002 PIPE-018',
    promise: 'trySend() is false and sends nothing when the channel is full',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const count = flood(sender);
      for (let i = 0; i < 3; i++) assert.equal(sender.trySend('not this'), false);
      await receiveFlood(receiver, count);
      await sender.send('this');
      assert.equal(String(await next(receiver)), 'this');
    },
  },
  {
    key: 'send-waits',
    ids: 'MQ-027 SVMSG-014 RING-002',
    promise: 'send() waits while the channel is full, and goes on after a receive',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const count = flood(sender);
      const sends = ['first', 'second'].map((text) => start(() => sender.send(text)));
      await stillPending(...sends);
      await receiveFlood(receiver, count);
      assert.equal(String(await next(receiver)), 'first');
      assert.equal(String(await next(receiver)), 'second');
      for (const sent of sends) await sent.given();
    },
  },
  {
    key: 'aborted-receive',
    ids: '',
    promise: 'receive() that was aborted rejects with the reason and takes no message',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const controller = new AbortController();
      const reason = new Error('enough');
      const { signal } = controller;
      const received = start(() => receiver.receive({ signal }));
      const queued = start(() => receiver.receive({ signal }));
      await stillPending(received, queued);
      controller.abort(reason);
      assert.equal(await received.rejection(), reason);
      assert.equal(await queued.rejection(), reason);
      await sender.send('kept');
      assert.equal(await start(() => receiver.receive({ signal })).rejection(), reason);
      assert.equal(String(await next(receiver)), 'kept');
    },
  },
  {
    key: 'timed-out-receive',
    ids: 'MQ-037',
    promise: 'receive() rejects with ETIMEDOUT, not before its time, and takes no message',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const begin = performance.now();
      await rejects(() => receiver.receive({ timeout: 20 }), 'ETIMEDOUT');
      assert.ok(performance.now() - begin >= 19, 'it gave up too early');
      await rejects(() => receiver.receive({ timeout: 0 }), 'ETIMEDOUT');
      await sender.send('kept');
      assert.equal(String(await receiver.receive({ timeout: 10_000 })), 'kept');
    },
  },
  {
    key: 'cancelled-send',
    ids: 'MQ-041',
    promise: 'send() that was aborted or timed out while the channel was full sends nothing',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const count = flood(sender);
      const controller = new AbortController();
      const reason = new Error('enough');
      const aborted = start(() => sender.send('aborted', { signal: controller.signal }));
      const kept = start(() => sender.send('kept'));
      const late = start(() => sender.send('late', { timeout: 5 }));
      await stillPending(aborted, kept);
      controller.abort(reason);
      assert.equal(await aborted.rejection(), reason);
      assertIpcError(await late.rejection(), 'ETIMEDOUT');
      const { signal } = controller;
      assert.equal(await start(() => sender.send('never', { signal })).rejection(), reason);
      await receiveFlood(receiver, count);
      assert.equal(String(await next(receiver)), 'kept');
      await kept.given();
      assert.equal(receiver.tryReceive(), undefined, 'a cancelled message was sent');
    },
  },
  {
    key: 'end',
    ids: 'PIPE-007',
    promise: 'receive() gives what was sent, then null for ever, when the sender closed',
    needs: ['end'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const seen: string[] = [];
      await sender.send('one');
      await sender.send('two');
      sender.close();
      for await (const message of receiver) seen.push(String(message));
      assert.deepEqual(seen, ['one', 'two']);
      for (let i = 0; i < 3; i++) {
        assert.equal(await receiver.receive(), null);
        assert.equal(receiver.tryReceive(), null);
      }
    },
  },
  {
    key: 'end-wakes-receivers',
    ids: 'PIPE-014',
    promise: 'receive() gives null to everyone who waits, when the sender closes',
    needs: ['end'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const waiting = Array.from({ length: 5 }, () => start(() => receiver.receive()));
      await stillPending(...waiting);
      sender.close();
      for (const received of waiting) assert.equal(await received.given(), null);
    },
  },
  {
    key: 'broken-pipe',
    ids: 'PIPE-012 SOCK-030',
    promise: 'send() rejects with EPIPE, when the receiver closed',
    needs: ['brokenPipe'],
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      receiver.close();
      await rejects(() => sender.send('x'), 'EPIPE');
      await rejects(() => sender.send('y'), 'EPIPE');
    },
  },
  {
    key: 'used-closed',
    ids: 'BIND-008 MQ-048 MQ-073',
    promise:
      'send() and receive() reject, trySend() and tryReceive() throw ERR_CLOSED, after close()',
    async run(adapter, scope) {
      const { sender, receiver } = await open(adapter, scope);
      const waiting = start(() => receiver.receive());
      await stillPending(waiting);
      receiver.close();
      assertIpcError(await waiting.rejection(), 'ERR_CLOSED');
      await rejects(() => receiver.receive(), 'ERR_CLOSED');
      throws(() => receiver.tryReceive(), 'ERR_CLOSED');
      sender[Symbol.dispose]();
      sender.close();
      await rejects(() => sender.send('x'), 'ERR_CLOSED');
      throws(() => sender.trySend('x'), 'ERR_CLOSED');
      assert.ok(sender.closed && receiver.closed);
    },
  },
];
