import {
  describeIteration,
  describeMessageChannel,
  type MessageChannelAdapter,
} from '@octoipc/conformance';
import { openReceiver, openSender } from 'octoipc';
import { afterAll, beforeAll, describe } from 'vitest';

import { missing, NatsServer, titled } from './server.js';

describe.skipIf(missing !== undefined)(titled('with a server'), () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.open({ jetstream: true });
  });
  afterAll(() => server.end());

  let count = 0;
  const channelOf = (scheme: string, lacks: NonNullable<MessageChannelAdapter['lacks']>): void =>
    describeMessageChannel({
      name: `channel by URL, ${scheme}:`,
      mechanism: 'NATS',
      lacks: {
        end: 'senders come and go unseen',
        brokenPipe: 'receivers come and go unseen',
        priorities: 'it keeps the order',
        ...lacks,
      },
      async open() {
        const url = server.url(`suite.${(count += 1)}`, scheme);
        const receiver = await openReceiver(url, { create: true });
        return { receiver, sender: await openSender(url) };
      },
    });

  for (const scheme of ['nats', 'nats+jetstream']) {
    describeIteration({
      name: `receiver by URL, ${scheme}:`,
      mechanism: 'NATS',
      async open() {
        const url = server.url(`steps.${(count += 1)}`, scheme);
        const receiver = await openReceiver(url, { create: true });
        const sender = await openSender(url);
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
    });
  }

  channelOf('nats', { bounded: 'the server drops what a slow receiver does not take' });
  channelOf('nats+jetstream', {
    bounded: 'a stream holds what its limits say; see jetstream.test.ts',
  });
});
