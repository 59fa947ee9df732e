import { open } from 'node:fs/promises';

import { pipe } from '../index.js';
import { chunks } from './payload.js';
import { startPeer, Tally } from './peer.js';
import type { Mechanism, Row } from './row.js';

/** How much is spliced before the progress line moves. */
const PART = 4 * 1024 * 1024;

const MESSAGE_SIZE = 64 * 1024;

/** The peer's end of the pipe. */
const PIPES = { 3: 'read' } as const;

/** A stream of bytes: they go from the file into the pipe inside the kernel. */
const splice: Row = {
  name: 'splice',
  what: 'spliced in the kernel',

  async run(stage) {
    const { payload, signal } = stage;
    using peer = startPeer(stage, PIPES);
    const writer = peer.pipes[3];
    await peer.ready();
    stage.begin();
    return await peer.during(async () => {
      const file = await open(payload.path);
      try {
        let left = payload.size;
        while (left > 0) {
          const length = Math.min(left, PART);
          const moved = await pipe.splice(file.fd, writer, { length, signal });
          stage.progress(moved);
          left = moved < length ? 0 : left - moved;
        }
      } finally {
        await file.close();
        writer.close();
      }
    });
  },

  async peer({ ready }) {
    using reader = pipe.PipeReader.fromFd(3);
    await ready();
    const tally = new Tally();
    for await (const chunk of reader) tally.add(chunk);
    return tally.ofBytes();
  },
};

/** Messages: each arrives as it was sent, whatever the pipe makes of its bytes on the way. */
const messages: Row = {
  name: 'messages',
  what: 'messages of 64 KiB',

  async run(stage) {
    const { payload, signal } = stage;
    using peer = startPeer(stage, PIPES);
    using sender = pipe.pipeSender(peer.pipes[3]);
    await peer.ready();
    stage.begin();
    let sent = 0;
    const report = await peer.during(async () => {
      for await (const chunk of chunks(payload, MESSAGE_SIZE, signal)) {
        await sender.send(chunk, { signal });
        sent += 1;
        stage.progress(chunk.length);
      }
      sender.close();
    });
    if (report.messages !== sent) {
      throw new Error(`${sent} messages were sent, ${report.messages} arrived`);
    }
    return report;
  },

  async peer({ ready }) {
    using receiver = pipe.pipeReceiver(pipe.PipeReader.fromFd(3));
    await ready();
    const tally = new Tally();
    for await (const message of receiver) tally.add(message);
    return tally.ofMessages();
  },
};

/** Anonymous pipes: the bytes as a stream, and as messages. */
export const pipeTour: Mechanism = {
  name: 'pipe',
  purpose: 'a one-way stream of bytes between related processes, as | in a shell',
  rows: [splice, messages],
};
