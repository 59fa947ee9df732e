import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { CrashSafetyAdapter } from './crash-safety.js';
import { required } from './byte-stream-ends.js';
import { next } from './message-channel-ends.js';
import { assertIpcError, failureOf, start, stillPending } from './outcome.js';
import { assertSameBytes } from './payload.js';
import { numbered } from './role-peer.js';
import { roleArguments, RoleProcess } from './role-process.js';

const KILLED = { code: null, signal: 'SIGKILL' } as const;
const MESSAGES = 8;

/** What is seen at one end of a channel when the other is killed. */
export const messageCrashes: readonly Case<CrashSafetyAdapter>[] = [
  {
    key: 'sender-killed',
    ids: 'MQ-067',
    promise: 'receive() gives every message that was sent, whole, when the sender was killed',
    needs: ['messages'],
    async run(adapter, scope) {
      const startPeer = required(adapter.startSender, 'startSender');
      const { child, receiver } = await startPeer(
        roleArguments(adapter.script, 'send', [MESSAGES]),
      );
      scope.use(receiver);
      const role = new RoleProcess(child, scope);
      await role.says('sent');
      assert.deepEqual(await role.kill(), KILLED);
      for (let i = 0; i < MESSAGES; i++) assertSameBytes(await next(receiver), numbered(i));
    },
  },
  {
    key: 'sender-killed-end',
    ids: 'PIPE-014',
    promise: 'receive() that waits gives null when the sender is killed',
    needs: ['messages', 'end'],
    async run(adapter, scope) {
      const startPeer = required(adapter.startSender, 'startSender');
      const { child, receiver } = await startPeer(roleArguments(adapter.script, 'send', [1]));
      scope.use(receiver);
      const role = new RoleProcess(child, scope);
      await role.says('sent');
      await next(receiver);
      const received = start(() => receiver.receive());
      await stillPending(received);
      await role.kill();
      assert.equal(await received.given(), null);
    },
  },
  {
    key: 'receiver-killed',
    ids: 'PIPE-012',
    promise: 'send() rejects with EPIPE, sooner or later, when the receiver was killed',
    needs: ['messages', 'brokenPipe'],
    async run(adapter, scope) {
      const startPeer = required(adapter.startReceiver, 'startReceiver');
      const args = roleArguments(adapter.script, 'receive', [MESSAGES]);
      const { child, sender } = await startPeer(args);
      scope.use(sender);
      const role = new RoleProcess(child, scope);
      for (let i = 0; i < MESSAGES; i++) await sender.send(numbered(i));
      await role.says('received');
      await role.kill();
      const error = await failureOf(async () => {
        for (;;) await sender.send('into the void');
      }, 'sending');
      assertIpcError(error, 'EPIPE');
    },
  },
  {
    key: 'waiting-receiver-killed',
    ids: 'MQ-068',
    promise: 'receive() of the next receiver gets what came after one that waited was killed',
    needs: ['messages', 'persistent'],
    async run(adapter, scope) {
      const startPeer = required(adapter.startReceiver, 'startReceiver');
      const args = roleArguments(adapter.script, 'receive', [0, 'wait']);
      const { child, sender, another } = await startPeer(args);
      scope.use(sender);
      const role = new RoleProcess(child, scope);
      await role.says('received');
      await role.kill();
      await sender.send('kept');
      const receiver = scope.use(await required(another, 'another')());
      assert.equal(String(await next(receiver)), 'kept');
    },
  },
];
