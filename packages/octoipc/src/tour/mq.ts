import { mq, pipe } from '../index.js';
import { chunks } from './payload.js';
import { startPeer, Tally } from './peer.js';
import type { Mechanism, Report, Row, Stage } from './row.js';

/** Of both kinds: the longest message that a system allows without being asked. */
const MESSAGE_SIZE = 8192;

/** How data and the end of it are told apart: by priority, or by type. */
const DATA = 2;
const END = 1;

/** On which the peer learns which queue it is; that is all that the two have in common. */
const PIPES = { 3: 'read' } as const;

/** Takes the file through a queue, to a peer that was told which one. */
async function carry(
  stage: Stage,
  which: string,
  send: (message: Uint8Array, kind: number) => Promise<void>,
): Promise<Report> {
  const { payload, signal } = stage;
  using peer = startPeer(stage, PIPES);
  await peer.pipes[3].write(`${which}\n`);
  await peer.ready();
  stage.begin();
  let sent = 0;
  const report = await peer.during(async () => {
    for await (const chunk of chunks(payload, MESSAGE_SIZE, signal)) {
      await send(chunk, DATA);
      sent += 1;
      stage.progress(chunk.length);
    }
    await send(new Uint8Array(0), END);
  });
  if (report.messages !== sent) {
    throw new Error(`${sent} messages were sent, ${report.messages} arrived`);
  }
  return report;
}

/** What the peer was told. */
async function queueToMeet(): Promise<string> {
  using told = pipe.PipeReader.fromFd(3);
  const { value } = await told.lines().next();
  return value as string;
}

/** A POSIX queue: the end has the lower priority, so it comes last. */
const posix: Row = {
  name: 'posix',
  what: 'POSIX, 8 KiB messages',

  async run(stage) {
    const { signal } = stage;
    const name = `/octoipc-tour-${process.pid}`;
    using queue = mq.PosixQueue.open(name, {
      create: true,
      exclusive: true,
      temporary: true,
      maxMessages: 8,
      maxMessageSize: MESSAGE_SIZE,
    });
    return await carry(stage, name, (message, priority) =>
      queue.send(message, { priority, signal }),
    );
  },

  async peer({ ready }) {
    using queue = mq.PosixQueue.open(await queueToMeet(), { access: 'receive' });
    await ready();
    const tally = new Tally();
    for await (const { data, priority } of queue) {
      if (priority === END) break;
      tally.add(data);
    }
    return tally.ofMessages();
  },
};

/** A System V queue: the end has a type of its own, which is asked for when the data is through. */
const sysv: Row = {
  name: 'sysv',
  what: 'System V, 8 KiB messages',

  async run(stage) {
    const { signal } = stage;
    using queue = mq.SysvQueue.open('private', { create: true, temporary: true });
    return await carry(stage, String(queue.id), (message, type) =>
      queue.send(message, { type, signal }),
    );
  },

  async peer({ ready }) {
    using queue = mq.SysvQueue.fromId(Number(await queueToMeet()));
    await ready();
    const tally = new Tally();
    for await (const { data, type } of queue) {
      if (type === END) break;
      tally.add(data);
    }
    return tally.ofMessages();
  },
};

/** Message queues: the two kinds that there are. */
export const mqTour: Mechanism = {
  name: 'mq',
  purpose: 'messages with a priority or a type, kept by the kernel until fetched',
  rows: [posix, sysv],
};
