// @ts-check
// producers.mjs MECHANISM SIZE PRODUCERS: many processes that send to one, or that contend; see
// ../../c/producers.c for the mechanisms. Each does an equal share. Once one is done, the others' progress,
// which all keep in shared memory, tells how fairly they were served.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fifoReceiver, fifoSender, mkfifo } from '@octoipc/fifo';
import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { Mutex, PosixSemaphore, SysvSemaphoreSet } from '@octoipc/sem';
import { SharedMemory, ShmRing } from '@octoipc/shm';
import { connect, Datagram, listen, serverReceiver } from '@octoipc/socket';

import {
  dataOf,
  itself,
  receiveBatches,
  receiveEach,
  receiveIterated,
  sendEach,
  sendWindows,
} from './flows.mjs';
import { now, serve } from './side.mjs';

const [mechanism = '', sizeText, producersText, role] = process.argv.slice(2);
const size = Number(sizeText);
const producers = Number(producersText);
const number = Number(role);
const isProducer = role !== undefined;

/** What the producers find everything by. */
const NAME = 'OCTOIPC_BENCH_NAME';
/** And a number that only the kernel gives. */
const ID = 'OCTOIPC_BENCH_ID';
const name = process.env[NAME] ?? `/octoipc-bench-${process.pid}`;
/** Where files are to be. */
const FOLDER = 'OCTOIPC_BENCH_FOLDER';
const folder = (process.env[FOLDER] ??= mkdtempSync(join(tmpdir(), 'octoipc-bench-')));
const path = join(folder, 'end');
const temporary = !isProducer;
if (!isProducer) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** What would be closed if it were collected. @type {unknown[]} */
const kept = [];

/** @template T @param {T} handle */
function keep(handle) {
  kept.push(handle);
  return handle;
}

const progress = keep(
  SharedMemory.open(`${name}-progress`, isProducer ? {} : { temporary, size: 4096 }),
).view(Int32Array);

/** Behind the counts of all: whether somebody is done, and how far the others were. */
const FIRST = 128;
const SEEN = 256;

/** What the kernel names. @param {() => number} make */
const idOf = (make) => {
  if (isProducer) return Number(process.env[ID]);
  const id = make();
  process.env[ID] = String(id);
  return id;
};

/** @param {() => void} step */
const repeated = (step) => (/** @type {number} */ count) => {
  for (let n = 0; n < count; n++) step();
};

/**
 * What a producer does with its share, and what the one consumer does with all of them; without one, the
 * producers contend.
 *
 * @type {Record<string, { share(): ((count: number) => unknown) | Promise<(count: number) => unknown>, consume?(): ((count: number) => unknown) | Promise<(count: number) => unknown> }>}
 */
const mechanisms = {
  posix: queue(() =>
    PosixQueue.open(
      name,
      isProducer ? {} : { create: true, temporary, maxMessages: 10, maxMessageSize: size },
    ),
  ),
  sysv: queue(() => {
    const made = isProducer ? undefined : keep(SysvQueue.open('private', { temporary }));
    return SysvQueue.fromId(idOf(() => Number(made?.id)));
  }),
  fifo: {
    share: async () => {
      const sender = keep(await fifoSender(path, { multipleSenders: true }));
      return sendWindows(size, sender);
    },
    consume: async () => {
      mkfifo(path);
      return receiveBatches(keep(await fifoReceiver(path, { multipleSenders: true })));
    },
  },
  ring: {
    share: () => {
      const producer = keep(keep(ShmRing.attach(`${name}-ring`)).producer());
      return sendEach(size, (message) => producer.sendSync(message));
    },
    consume: () => {
      const options = { capacity: 1 << 20, maxMessageSize: size, temporary };
      const ring = keep(ShmRing.create(`${name}-ring`, { ...options, producers: 'multiple' }));
      return receiveBatches(keep(ring.consumer()));
    },
  },
  seqpacket: {
    share: async () => {
      const end = keep(await connect({ path }, { type: 'seqpacket' }));
      return sendEach(size, (message) => end.sendSync(message));
    },
    consume: async () => {
      const server = await listen({ path }, { type: 'seqpacket' });
      const receiver = keep(serverReceiver(server, { persistent: true }));
      return receiveIterated(/** @type {AsyncIterable<Buffer>} */ (receiver), itself);
    },
  },
  datagram: {
    share: async () => {
      const end = keep(await Datagram.connect({ path }));
      return sendEach(size, (message) => end.sendSync(message));
    },
    consume: async () => {
      const end = keep(await Datagram.bind({ path }));
      return receiveIterated(end, dataOf);
    },
  },
  permit: {
    share: () => {
      const permits = keep(PosixSemaphore.open(name));
      return repeated(() => {
        permits.acquireSync();
        permits.release();
      });
    },
  },
  lock: {
    share: () => {
      const mutex = keep(Mutex.open(name));
      return repeated(() => mutex.lockSync().unlock());
    },
  },
  sysvsem: {
    share: () => {
      const set = keep(SysvSemaphoreSet.fromId(idOf(() => 0)));
      return repeated(() => {
        set.operateSync([{ index: 0, delta: -1 }]);
        set.tryOperate([{ index: 0, delta: 1 }]);
      });
    },
  },
};

/** @param {() => PosixQueue | SysvQueue} open */
function queue(open) {
  return {
    share: () => {
      const made = keep(open());
      return sendEach(size, (message) => made.sendSync(message));
    },
    consume: () => {
      const made = keep(open());
      return receiveEach(() => made.receiveSync().data);
    },
  };
}

/** Makes what is contended for. */
function makeContended() {
  if (mechanism === 'permit')
    keep(PosixSemaphore.open(name, { create: true, temporary, value: 1 }));
  if (mechanism === 'lock') keep(Mutex.open(name, { create: true, temporary }));
  if (mechanism === 'sysvsem') {
    const set = keep(SysvSemaphoreSet.open('private', { temporary, count: 1 }));
    set.tryOperate([{ index: 0, delta: 1 }]);
    idOf(() => set.id);
  }
}

const chosen = mechanisms[mechanism];
if (chosen === undefined) throw new Error(`no mechanism ${mechanism}`);

/** Steps of a share between two looks at the progress of all. */
const STEP = 16;

async function produce() {
  const share = await chosen?.share();
  const work = async (/** @type {number} */ count) => {
    let before = 0;
    // The payload of a share is numbered through: a window of the sender's is a multiple of 256.
    for (const step = Math.max(256, STEP); before < count; before += step) {
      await share?.(Math.min(step, count - before));
      Atomics.store(progress, number, Math.min(count, before + step));
    }
    if (Atomics.compareExchange(progress, FIRST, 0, 1) === 0) {
      for (let i = 0; i < producers; i++) progress[SEEN + i] = Atomics.load(progress, i);
    }
    process.send?.('done');
  };
  process.on('message', (/** @type {number} */ count) => void work(count));
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

/** Jain's index of how far each was when the first was done. */
function fairness() {
  const seen = Array.from(progress.subarray(SEEN, SEEN + producers));
  const sum = seen.reduce((total, each) => total + each, 0);
  const squares = seen.reduce((total, each) => total + each * each, 0);
  return squares > 0 ? (sum * sum) / (producers * squares) : 1;
}

async function drive() {
  const consume = await chosen?.consume?.();
  if (consume === undefined) makeContended();
  process.env[NAME] = name;
  const children = Array.from({ length: producers }, (_, index) =>
    spawn(process.execPath, [import.meta.filename, ...process.argv.slice(2), String(index)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  const all = () => Promise.all(children.map((child) => once(child, 'message')));
  // Who connects is served while it waits.
  await all();
  await serve(async (count) => {
    const share = Math.ceil(count / producers);
    progress.fill(0);
    const done = all();
    const start = now();
    for (const child of children) child.send(share);
    const sum = await consume?.(share * producers);
    if (consume === undefined) await done;
    const ns = now() - start;
    await done;
    return { ns, count: share * producers, fairness: fairness(), sum };
  });
}

if (isProducer) await produce();
else await drive();
