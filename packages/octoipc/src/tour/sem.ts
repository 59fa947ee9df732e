import { pipe, sem } from '../index.js';
import { startPeer, type Peer } from './peer.js';
import type { Mechanism, Outcome, Report, Row, Stage } from './row.js';

/** Handovers that each row makes, there and back. */
const ROUNDS = 5000;
/** So many owners of a lock die. */
const DEATHS = 3;

/** On which the peer learns what it is about. */
const PIPES = { 3: 'read' } as const;

/** Starts a peer that was told which object to meet at. */
async function meet(stage: Stage, which: string): Promise<Peer<typeof PIPES>> {
  const peer = startPeer(stage, PIPES);
  await peer.pipes[3].write(`${which}\n`);
  await peer.ready();
  return peer;
}

/** What the peer was told. */
async function toMeet(): Promise<string> {
  using told = pipe.PipeReader.fromFd(3);
  const { value } = await told.lines().next();
  return value as string;
}

const nothing: Report = { bytes: 0, messages: 0, digest: '' };

/** Runs a row's handovers, `ROUNDS` times, and counts them. */
async function rounds(stage: Stage, handOver: () => Promise<unknown>): Promise<Outcome> {
  stage.begin();
  for (let round = 0; round < ROUNDS; round++) {
    await handOver();
    stage.progress(1);
  }
  return { messages: ROUNDS, held: true };
}

/** Two POSIX semaphores: each side waits for the other. */
const posix: Row = {
  name: 'posix',
  what: 'POSIX, to and fro',

  async run(stage) {
    const { signal } = stage;
    const name = `/octoipc-tour-${process.pid}`;
    using there = sem.PosixSemaphore.open(`${name}-there`, { temporary: true, exclusive: true });
    using back = sem.PosixSemaphore.open(`${name}-back`, { temporary: true, exclusive: true });
    using peer = await meet(stage, name);
    const outcome = await rounds(stage, () => {
      there.release();
      return back.acquire({ signal });
    });
    await peer.during(async () => {});
    return { ...outcome, held: there.value === 0 && back.value === 0 } as Outcome;
  },

  async peer({ ready }) {
    const name = await toMeet();
    using there = sem.PosixSemaphore.open(`${name}-there`);
    using back = sem.PosixSemaphore.open(`${name}-back`);
    await ready();
    for (let round = 0; round < ROUNDS; round++) {
      await there.acquire();
      back.release();
    }
    return nothing;
  },
};

/** A System V set: two counters, of which one operation takes and gives at once. */
const sysv: Row = {
  name: 'sysv',
  what: 'System V, to and fro',

  async run(stage) {
    const { signal } = stage;
    using set = sem.SysvSemaphoreSet.open('private', { temporary: true, count: 2 });
    using peer = await meet(stage, String(set.id));
    const outcome = await rounds(stage, () => {
      set.tryOperate([{ index: 0, delta: 1 }]);
      return set.operate([{ index: 1, delta: -1 }], { signal });
    });
    await peer.during(async () => {});
    return { ...outcome, held: set.values.every((value) => value === 0) } as Outcome;
  },

  async peer({ ready }) {
    using set = sem.SysvSemaphoreSet.fromId(Number(await toMeet()));
    await ready();
    const answer = [
      { index: 0, delta: -1 },
      { index: 1, delta: 1 },
    ];
    for (let round = 0; round < ROUNDS; round++) await set.operate(answer);
    return nothing;
  },
};

/** A mutex whose owners are killed: each time the next one has it, and is told. */
const mutex: Row = {
  name: 'mutex',
  what: 'mutex, its owner killed',

  async run(stage) {
    const { signal } = stage;
    const name = `/octoipc-tour-${process.pid}`;
    using lock = sem.Mutex.open(name, { temporary: true, exclusive: true });
    let held = true;
    for (let death = 0; death < DEATHS; death++) {
      using _peer = await meet(stage, name);
      if (death === 0) stage.begin();
      const guard = await lock.lock({ signal });
      held &&= guard.recovered !== null;
      guard.markConsistent();
      guard.unlock();
      stage.progress(1);
    }
    return { messages: DEATHS, held };
  },

  async peer({ ready }) {
    using lock = sem.Mutex.open(await toMeet());
    await lock.lock();
    await ready();
    process.kill(process.pid, 'SIGKILL');
    return nothing;
  },
};

/** Semaphores and locks. */
export const semTour: Mechanism = {
  name: 'sem',
  purpose: 'counters and locks that processes share, and that survive their owners',
  rows: [posix, sysv, mutex],
};
