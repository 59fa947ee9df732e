import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fifo, pipe } from '../index.js';
import { chunks } from './payload.js';
import { startPeer, Tally, type Peer } from './peer.js';
import type { Mechanism, Row, Stage } from './row.js';

const MESSAGE_SIZE = 64 * 1024;

/** On which the peer learns the path; that is all that the two have in common. */
const PIPES = { 3: 'read' } as const;

/** A FIFO in a folder of its own, and a peer that reads from it. */
async function meet(
  stage: Stage,
): Promise<{ path: string; peer: Peer<typeof PIPES> } & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-tour-'));
  const path = join(folder, 'fifo');
  const peer = startPeer(stage, PIPES);
  const end = (): void => {
    peer[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    fifo.mkfifo(path);
    await peer.pipes[3].write(`${path}\n`);
    await peer.ready();
    return { path, peer, [Symbol.dispose]: end };
  } catch (error) {
    end();
    throw error;
  }
}

/** What the peer was told. */
async function pathToMeet(): Promise<string> {
  using told = pipe.PipeReader.fromFd(3);
  const { value } = await told.lines().next();
  return value as string;
}

/** A stream of bytes, to a process that knows nothing but a path. */
const stream: Row = {
  name: 'stream',
  what: 'met by a path',

  async run(stage) {
    const { payload, signal } = stage;
    using meeting = await meet(stage);
    stage.begin();
    return await meeting.peer.during(async () => {
      using writer = await fifo.openWriter(meeting.path, { signal });
      for await (const chunk of chunks(payload, MESSAGE_SIZE, signal)) {
        await writer.write(chunk, { signal });
        stage.progress(chunk.length);
      }
    });
  },

  async peer({ ready }) {
    using reader = await fifo.openReader(await pathToMeet());
    await ready();
    const tally = new Tally();
    for await (const chunk of reader) tally.add(chunk);
    return tally.ofBytes();
  },
};

/** Messages: each arrives as it was sent. */
const messages: Row = {
  name: 'messages',
  what: 'messages of 64 KiB',

  async run(stage) {
    const { payload, signal } = stage;
    using meeting = await meet(stage);
    stage.begin();
    let sent = 0;
    const report = await meeting.peer.during(async () => {
      using sender = await fifo.fifoSender(meeting.path, { signal });
      for await (const chunk of chunks(payload, MESSAGE_SIZE, signal)) {
        await sender.send(chunk, { signal });
        sent += 1;
        stage.progress(chunk.length);
      }
    });
    if (report.messages !== sent) {
      throw new Error(`${sent} messages were sent, ${report.messages} arrived`);
    }
    return report;
  },

  async peer({ ready }) {
    using receiver = await fifo.fifoReceiver(await pathToMeet());
    await ready();
    const tally = new Tally();
    for await (const message of receiver) tally.add(message);
    return tally.ofMessages();
  },
};

/** Named pipes: the bytes as a stream, and as messages. */
export const fifoTour: Mechanism = {
  name: 'fifo',
  purpose: 'a pipe with a path, where processes that share nothing else can meet',
  rows: [stream, messages],
};
