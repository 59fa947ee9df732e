import type { Memory } from '@octoipc/shm';

import { shm } from '../index.js';
import { chunks } from './payload.js';
import { startPeer, Tally } from './peer.js';
import type { Mechanism, Report, Row, Stage } from './row.js';
import { memoryToMeet, PIPES, shmChannels } from './shm-channels.js';

/** What of the file is in the memory at a time. */
const AREA = 1024 * 1024;

/** Before the area: whose turn it is, which is waited for, and how many bytes are there. */
const TURN = 0;
const LENGTH = 1;
const HEADER = 8;

/** Whose turn it is. */
const SENDER = 0;
const RECEIVER = 1;
const OVER = 2;

/** Waits for a turn, and says which one it is. */
async function turnAfter(memory: Memory, turn: number, signal?: AbortSignal): Promise<number> {
  const words = memory.view(Int32Array, 0, 2);
  for (;;) {
    const now = Atomics.load(words, TURN);
    if (now !== turn) return now;
    await memory.wait(4 * TURN, turn, signal === undefined ? {} : { signal });
  }
}

function pass(memory: Memory, turn: number): void {
  Atomics.store(memory.view(Int32Array, 0, 2), TURN, turn);
  memory.notify(4 * TURN);
}

/** Takes the file through the memory, to a peer that was told which one. */
async function carry(stage: Stage, memory: Memory, which: string): Promise<Report> {
  const { payload, signal } = stage;
  using peer = startPeer(stage, PIPES);
  await peer.pipes[3].write(`${which}\n`);
  await peer.ready();
  stage.begin();
  const words = memory.view(Int32Array, 0, 2);
  const area = memory.view(Uint8Array, HEADER);
  return await peer.during(async () => {
    for await (const chunk of chunks(payload, AREA, signal)) {
      await turnAfter(memory, RECEIVER, signal);
      area.set(chunk);
      Atomics.store(words, LENGTH, chunk.length);
      pass(memory, RECEIVER);
      stage.progress(chunk.length);
    }
    await turnAfter(memory, RECEIVER, signal);
    pass(memory, OVER);
  });
}

/** The other side: takes out what is there, and gives the turn back. */
async function takeOut(memory: Memory, ready: () => Promise<void>): Promise<Report> {
  await ready();
  const words = memory.view(Int32Array, 0, 2);
  const area = memory.view(Uint8Array, HEADER);
  const tally = new Tally();
  while ((await turnAfter(memory, SENDER)) !== OVER) {
    tally.add(area.subarray(0, Atomics.load(words, LENGTH)));
    pass(memory, SENDER);
  }
  return tally.ofBytes();
}

const OPTIONS = { exclusive: true, temporary: true, size: HEADER + AREA } as const;

/** POSIX memory, which has a name. */
const posix: Row = {
  name: 'posix',
  what: 'POSIX, 1 MiB and a futex',

  async run(stage) {
    const name = `/octoipc-tour-${process.pid}`;
    using memory = shm.SharedMemory.open(name, OPTIONS);
    return await carry(stage, memory, name);
  },

  async peer({ ready }) {
    using memory = shm.SharedMemory.open(await memoryToMeet());
    return await takeOut(memory, ready);
  },
};

/** System V memory, which has an id. */
const sysv: Row = {
  name: 'sysv',
  what: 'System V, the same',

  async run(stage) {
    using memory = shm.SysvSharedMemory.open('private', OPTIONS);
    return await carry(stage, memory, String(memory.id));
  },

  async peer({ ready }) {
    using memory = shm.SysvSharedMemory.fromId(Number(await memoryToMeet()));
    return await takeOut(memory, ready);
  },
};

/** Shared memory: the two kinds that have names, and what is built on them. */
export const shmTour: Mechanism = {
  name: 'shm',
  purpose: 'the same bytes in two processes, nothing copied; a futex tells the turns',
  rows: [posix, sysv, ...shmChannels],
};
