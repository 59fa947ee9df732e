import type { IterationAdapter } from '@octoipc/conformance';
import { fifoReceiver, fifoSender, unlink, type OpenReaderOptions } from '@octoipc/fifo';

import { both } from './adapter.js';
import { freshPath } from './place.js';

const mechanism = 'FIFO';

const chunksWith = (name: string, options: OpenReaderOptions): IterationAdapter => ({
  name,
  mechanism,
  async open() {
    const { reader, writer, close } = await both(options);
    return {
      iterate: () => reader[Symbol.asyncIterator](),
      handle: reader,
      give: (token) => writer.write(Uint8Array.of(token)),
      token: (chunk: Buffer) => chunk[0],
      close,
    };
  },
});

const frames: IterationAdapter = {
  name: 'fifoReceiver()',
  mechanism,
  async open() {
    const path = freshPath();
    const receiver = await fifoReceiver(path, { create: true });
    const sender = await fifoSender(path);
    unlink(path);
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

/** What one iterates over here. */
export const iterations: readonly IterationAdapter[] = [
  chunksWith('FifoReader', {}),
  chunksWith('FifoReader, persistent', { persistent: true }),
  frames,
];
