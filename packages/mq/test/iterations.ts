import type { IterationAdapter } from '@octoipc/conformance';
import { mqReceiver, mqSender, SysvQueue } from '@octoipc/mq';

import { nameless, pairOf } from './queues.js';

const queueOf = (
  name: string,
  mechanism: string,
  open: () => ReturnType<typeof nameless> | SysvQueue,
): IterationAdapter => ({
  name,
  mechanism,
  open() {
    const queue = open();
    return {
      iterate: () => queue[Symbol.asyncIterator](),
      handle: queue,
      give: (token) => queue.send(Uint8Array.of(token)),
      token: ({ data }: { data: Buffer }) => data[0],
      close: () => queue.close(),
    };
  },
});

const messages: IterationAdapter = {
  name: 'mqReceiver()',
  mechanism: 'MQ',
  open() {
    const ends = pairOf();
    const sender = mqSender(ends.sender);
    const receiver = mqReceiver(ends.receiver);
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => sender.send(Uint8Array.of(token)),
      token: (message: Buffer) => message[0],
      close() {
        receiver.close();
        sender.close();
      },
    };
  },
};

const notifications: IterationAdapter = {
  name: 'PosixQueue.notifications()',
  mechanism: 'MQ',
  lacks: {
    tokens: 'a notification tells of no message',
    several: 'one can be registered at a time',
  },
  open() {
    const { sender, receiver } = pairOf();
    return {
      iterate: () => receiver.notifications(),
      handle: receiver,
      give: (token) => sender.send(Uint8Array.of(token)),
      token: () => void receiver.tryReceive(),
      close() {
        receiver.close();
        sender.close();
      },
    };
  },
};

/** What one iterates over here. */
export const iterations: readonly IterationAdapter[] = [
  queueOf('PosixQueue', 'MQ', () => nameless()),
  queueOf('SysvQueue', 'SVMSG', () => SysvQueue.open('private', { temporary: true })),
  messages,
  notifications,
];
