import type { ShmValue } from '@octoipc/shm';

import { pipe, shm } from '../index.js';
import { chunks } from './payload.js';
import { startPeer, Tally, type Peer } from './peer.js';
import type { Row, Stage } from './row.js';

/** On which the peer learns which memory it is; that is all that the two have in common. */
export const PIPES = { 3: 'read' } as const;

/** What the peer was told. */
export async function memoryToMeet(): Promise<string> {
  using told = pipe.PipeReader.fromFd(3);
  const { value } = await told.lines().next();
  return value as string;
}

/** Starts a peer that was told which memory it is. */
async function meet(stage: Stage, name: string): Promise<Peer<typeof PIPES>> {
  const peer = startPeer(stage, PIPES);
  await peer.pipes[3].write(`${name}\n`);
  await peer.ready();
  stage.begin();
  return peer;
}

/** What is in a ring or a broadcast at a time. */
const CAPACITY = 1024 * 1024;

/** Bytes of a message: two of them fit in a ring at least. */
const MESSAGE = 64 * 1024;

/** A ring, whose end is an empty message. */
const ring: Row = {
  name: 'ring',
  what: 'a ring, 64 KiB messages',

  async run(stage) {
    const { payload, signal } = stage;
    const name = `/octoipc-tour-${process.pid}`;
    const options = { capacity: CAPACITY, maxMessageSize: MESSAGE, temporary: true } as const;
    using made = shm.ShmRing.create(name, options);
    using peer = await meet(stage, name);
    const producer = made.producer();
    let sent = 0;
    const report = await peer.during(async () => {
      for await (const chunk of chunks(payload, MESSAGE, signal)) {
        await producer.send(chunk, { signal });
        sent += 1;
        stage.progress(chunk.length);
      }
      await producer.send('');
    });
    if (report.messages !== sent) {
      throw new Error(`${sent} messages were sent, ${report.messages} arrived`);
    }
    return report;
  },

  async peer({ ready }) {
    using made = shm.ShmRing.attach(await memoryToMeet());
    const consumer = made.consumer();
    await ready();
    const tally = new Tally();
    for (;;) {
      for (const message of await consumer.receiveMany()) {
        if (message.length === 0) return tally.ofMessages();
        tally.add(message);
      }
    }
  },
};

/** Messages that a sender is ahead of the receiver at most, who tells by a value how many it has. */
const AHEAD = 4;

/** Waits until the other side has come so far. */
async function reaches(progress: ShmValue, count: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { version } = progress;
    if (version >= count) return;
    await progress.changed(version, { signal });
  }
}

/** A broadcast: its producer never waits, so a value tells it how far the reader is. */
const broadcast: Row = {
  name: 'broadcast',
  what: 'a broadcast, paced',

  async run(stage) {
    const { payload, signal } = stage;
    const name = `/octoipc-tour-${process.pid}`;
    const options = { capacity: CAPACITY, maxMessageSize: MESSAGE, temporary: true } as const;
    using made = shm.ShmBroadcast.create(name, options);
    using progress = shm.ShmValue.create(`${name}-progress`, { maxSize: 0, temporary: true });
    using peer = await meet(stage, name);
    const producer = made.producer();
    let sent = 0;
    return await peer.during(async () => {
      for await (const chunk of chunks(payload, MESSAGE, signal)) {
        producer.send(chunk);
        sent += 1;
        stage.progress(chunk.length);
        await reaches(progress, sent - AHEAD, signal);
      }
      producer.send('');
    });
  },

  async peer({ ready }) {
    const name = await memoryToMeet();
    using made = shm.ShmBroadcast.attach(name);
    using progress = shm.ShmValue.attach(`${name}-progress`);
    const consumer = made.consumer();
    await ready();
    const tally = new Tally();
    for (;;) {
      const message = await consumer.receive();
      if (consumer.missed > 0) throw new Error(`${consumer.missed} messages were missed`);
      if (message.length === 0) return tally.ofMessages();
      tally.add(message);
      progress.set('');
    }
  },
};

/** A value that the one sets and the other reads, each state after the one before was read. */
const value: Row = {
  name: 'value',
  what: 'a value, 64 KiB a state',

  async run(stage) {
    const { payload, signal } = stage;
    const name = `/octoipc-tour-${process.pid}`;
    using made = shm.ShmValue.create(name, { maxSize: MESSAGE, temporary: true });
    using progress = shm.ShmValue.create(`${name}-progress`, { maxSize: 0, temporary: true });
    using peer = await meet(stage, name);
    return await peer.during(async () => {
      for await (const chunk of chunks(payload, MESSAGE, signal)) {
        made.set(chunk);
        stage.progress(chunk.length);
        await reaches(progress, made.version, signal);
      }
      made.set('');
    });
  },

  async peer({ ready }) {
    const name = await memoryToMeet();
    using made = shm.ShmValue.attach(name);
    using progress = shm.ShmValue.attach(`${name}-progress`);
    await ready();
    const tally = new Tally();
    for (let version = 0; ;) {
      version = await made.changed(version);
      const state = made.get();
      if (state === null || state.length === 0) return tally.ofMessages();
      tally.add(state);
      progress.set('');
    }
  },
};

/** What is built on shared memory. */
export const shmChannels: readonly Row[] = [ring, broadcast, value];
