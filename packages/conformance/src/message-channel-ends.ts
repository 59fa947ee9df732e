import assert from 'node:assert/strict';

import type { Receiver, Sender } from '@octoipc/core';

import type { ChannelEnds, MessageChannelAdapter } from './message-channel.js';
import type { Scope } from './scope.js';

/** The largest messages that the suite makes, whatever a channel allows. */
const LARGE = 1024 * 1024;

/** More messages than a bounded channel is expected to hold. */
const FLOOD = 1_000_000;

/** A channel that the scope closes. */
export async function open(adapter: MessageChannelAdapter, scope: Scope): Promise<ChannelEnds> {
  const ends = await adapter.open();
  scope.use(ends.receiver);
  scope.use(ends.sender);
  return ends;
}

/** The longest message that is worth sending. */
export function longest(sender: Sender): number {
  return Math.min(sender.traits.maxMessageSize, LARGE);
}

/** The next message, which must be one. */
export async function next(receiver: Receiver): Promise<Buffer> {
  const message = await receiver.receive();
  assert.ok(message !== null, 'the channel ended instead of giving a message');
  return message;
}

/**
 * Sends numbered messages until the channel is full, the last ones so short that no other would fit.
 *
 * @returns how many it took
 */
export function flood(sender: Sender): number {
  let count = 0;
  for (const size of [64, 4]) {
    const message = Buffer.alloc(Math.min(size, longest(sender)));
    for (; ; count++) {
      assert.ok(count < FLOOD, 'trySend() never says that the channel is full');
      message.writeUInt32LE(count, 0);
      const taken = sender.trySend(message);
      assert.equal(typeof taken, 'boolean');
      if (!taken) break;
    }
  }
  return count;
}

/** Receives the messages of `flood`, which must be whole and in order. */
export async function receiveFlood(receiver: Receiver, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    assert.equal((await next(receiver)).readUInt32LE(0), i, 'a message is lost or out of order');
  }
}
