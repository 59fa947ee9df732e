import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describeIteration } from '@octoipc/conformance';
import { json } from '@octoipc/core';
import { fifoSender, mkfifo } from '@octoipc/fifo';
import { openReceiver, openSender } from 'octoipc';

import { freshName } from './channel-places.js';

describeIteration({
  name: 'openReceiver(mq:, { codec })',
  mechanism: 'MQ',
  async open() {
    const url = `mq:${freshName()}`;
    const options = { temporary: true, codec: json, maxMessages: 2, maxMessageSize: 64 };
    const receiver = await openReceiver(url, options);
    const sender = await openSender(url, { codec: json });
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => sender.send({ token }),
      token: (value: { token: number }) => value.token,
      close() {
        receiver.close();
        sender.close();
      },
    };
  },
});

describeIteration({
  name: 'openReceiver(popen:)',
  mechanism: 'POPEN',
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-'));
    const path = join(folder, 'frames');
    mkfifo(path);
    const receiver = await openReceiver(`popen:exec cat '${path}'`);
    const sender = await fifoSender(path);
    return {
      iterate: () => receiver[Symbol.asyncIterator](),
      handle: receiver,
      give: (token) => sender.send(Uint8Array.of(token)),
      token: (message: Buffer) => message[0],
      close() {
        receiver.close();
        sender.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
});
