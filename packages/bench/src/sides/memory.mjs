// @ts-check
// memory.mjs SUBJECT OPERATIONS: both ends of a mechanism in one process, one operation after the other; see
// ../memory.mjs for what is measured.
import { readdirSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { argv, memoryUsage, pid, stdout } from 'node:process';
import { getHeapSpaceStatistics } from 'node:v8';

/** Operations without a collection; what they allocate has to fit into the young generation. */
const FEW = 20_000;
const MANY = Number(argv[3] ?? 1_000_000);
/** Of which each allocation is looked at. */
const SAMPLED = 2000;
/** Handles that are open at once. */
const HANDLES = 500;

const message = Buffer.alloc(64, 7);

/**
 * Makes an operation of so many bytes there and back.
 *
 * @typedef {() => Promise<() => unknown>} Subject
 */

/** @type {Record<string, Subject>} */
export const SUBJECTS = {
  'pipe: writeSync, readSync into a buffer': async () => {
    const { createPipe } = await import('@octoipc/pipe');
    const { reader, writer } = createPipe();
    const into = Buffer.alloc(64);
    return () => {
      writer.writeSync(message);
      reader.readSync({ into });
    };
  },
  'pipe: tryWrite, tryRead': async () => {
    const { createPipe } = await import('@octoipc/pipe');
    const { reader, writer } = createPipe();
    return () => {
      writer.tryWrite(message);
      reader.tryRead();
    };
  },
  'mq, POSIX: trySend, tryReceive': async () => {
    const queue = await posixQueue();
    return () => {
      queue.trySend(message);
      queue.tryReceive();
    };
  },
  'mq, POSIX: sendSync, receiveSync({ into })': async () => {
    const queue = await posixQueue();
    const target = { into: Buffer.alloc(64) };
    return () => {
      queue.sendSync(message);
      queue.receiveSync(target);
    };
  },
  'mq, System V: trySend, tryReceive': async () => {
    const queue = await sysvQueue();
    return () => {
      queue.trySend(message);
      queue.tryReceive();
    };
  },
  'mq, System V: sendSync, receiveSync({ into })': async () => {
    const queue = await sysvQueue();
    const target = { into: Buffer.alloc(64) };
    return () => {
      queue.sendSync(message);
      queue.receiveSync(target);
    };
  },
  'sem, POSIX: tryAcquire, release': async () => {
    const { PosixSemaphore } = await import('@octoipc/sem');
    const semaphore = PosixSemaphore.open(`/octoipc-bench-${pid}`, {
      create: true,
      temporary: true,
      value: 1,
    });
    return () => {
      semaphore.tryAcquire();
      semaphore.release();
    };
  },
  'sem, Mutex: tryLock, unlock': async () => {
    const { Mutex } = await import('@octoipc/sem');
    const mutex = Mutex.open(`/octoipc-bench-${pid}`, { create: true, temporary: true });
    return () => mutex.tryLock()?.unlock();
  },
  'shm, ring: trySend, tryReceive': async () => {
    const { made, producer, consumer } = await ring();
    return () => {
      producer.trySend(message);
      consumer.tryReceive();
      return made;
    };
  },
  'shm, ring: trySend, consume': async () => {
    const { made, producer, consumer } = await ring();
    let sum = 0;
    const take = (/** @type {Uint8Array} */ bytes) => {
      sum += Number(bytes[0]);
    };
    return () => {
      producer.trySend(message);
      consumer.consume(take);
      return [made, sum];
    };
  },
};

async function posixQueue() {
  const { PosixQueue } = await import('@octoipc/mq');
  return PosixQueue.open(`/octoipc-bench-${pid}`, {
    create: true,
    temporary: true,
    maxMessages: 4,
    maxMessageSize: 64,
  });
}

async function sysvQueue() {
  const { SysvQueue } = await import('@octoipc/mq');
  return SysvQueue.open('private', { create: true, temporary: true });
}

async function ring() {
  const { SharedMemory, ShmRing } = await import('@octoipc/shm');
  const memory = SharedMemory.memfd({ name: 'octoipc-bench', size: 1 << 20 });
  const made = ShmRing.create(memory, { capacity: 1 << 16 });
  return { made: [memory, made], producer: made.producer(), consumer: made.consumer() };
}

/**
 * Opens one more handle.
 *
 * @type {Record<string, () => Promise<() => { close(): unknown }>>}
 */
export const OPENERS = {
  'pipe: createPipe()': async () => {
    const { createPipe } = await import('@octoipc/pipe');
    return () => createPipe();
  },
  'mq, System V: SysvQueue.fromId()': async () => {
    const { SysvQueue } = await import('@octoipc/mq');
    const queue = SysvQueue.open('private', { temporary: true });
    held.push(queue);
    return () => SysvQueue.fromId(queue.id);
  },
  'sem, POSIX: PosixSemaphore.open()': async () => {
    const { PosixSemaphore } = await import('@octoipc/sem');
    const name = `/octoipc-bench-${pid}`;
    held.push(PosixSemaphore.open(name, { create: true, temporary: true, value: 1 }));
    return () => PosixSemaphore.open(name);
  },
  'sem: Mutex.open()': async () => {
    const { Mutex } = await import('@octoipc/sem');
    const name = `/octoipc-bench-${pid}`;
    held.push(Mutex.open(name, { create: true, temporary: true }));
    return () => Mutex.open(name);
  },
  'shm: SharedMemory.open(), 4 KiB': async () => {
    const { SharedMemory } = await import('@octoipc/shm');
    const name = `/octoipc-bench-${pid}`;
    held.push(SharedMemory.open(name, { create: true, temporary: true, size: 4096 }));
    return () => SharedMemory.open(name);
  },
  'socket: socketPair()': async () => {
    const { socketPair } = await import('@octoipc/socket');
    return () => {
      const ends = socketPair();
      return { close: () => ends.forEach((end) => end.close()) };
    };
  },
};

/** What would be closed if it were collected. @type {unknown[]} */
const held = [];

/** How many objects an operation allocates: every allocation is sampled. @param {() => unknown} operation */
async function objectsOf(operation) {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.enable');
  const counted = async (/** @type {number} */ count) => {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: 1,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    for (let n = 0; n < count; n++) operation();
    /** @type {any} The types do not know its samples. */
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return profile.samples.length;
  };
  await counted(SAMPLED);
  const few = await counted(SAMPLED);
  const objects = ((await counted(2 * SAMPLED)) - few) / SAMPLED;
  session.disconnect();
  return objects;
}

const oldSpace = () =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ??
  0;

/** @param {Subject} subject */
async function measure(subject) {
  const operation = await subject();
  const gc = /** @type {() => void} */ (globalThis.gc);
  for (let n = 0; n < 2 * FEW; n++) operation();
  await turn();
  gc();
  const before = memoryUsage().heapUsed;
  for (let n = 0; n < FEW; n++) operation();
  const perOperation = (memoryUsage().heapUsed - before) / FEW;
  const objects = await objectsOf(operation);
  const few = MANY / 10;
  let start = memoryUsage();
  let old = 0;
  for (let n = 0; n < MANY; n++) {
    operation();
    if (n % FEW !== 0) continue;
    await turn();
    if (n !== few) continue;
    gc();
    start = memoryUsage();
    old = oldSpace();
  }
  await turn();
  gc();
  const end = memoryUsage();
  return {
    perOperation,
    objects,
    operations: MANY - few,
    heapGrowth: end.heapUsed - start.heapUsed,
    oldSpaceGrowth: oldSpace() - old,
    residentGrowth: end.rss - start.rss,
  };
}

/** What so many open handles cost, each: bytes of the heap and resident, and descriptors. */
async function measureHandles(/** @type {() => Promise<() => { close(): unknown }>} */ opener) {
  const open = await opener();
  const gc = /** @type {() => void} */ (globalThis.gc);
  const descriptors = () => readdirSync('/proc/self/fd').length;
  for (let n = 0; n < HANDLES; n++) open().close();
  await turn();
  gc();
  const before = memoryUsage();
  const fds = descriptors();
  const handles = Array.from({ length: HANDLES }, open);
  gc();
  const after = memoryUsage();
  const outcome = {
    heap: (after.heapUsed - before.heapUsed) / HANDLES,
    resident: (after.rss - before.rss) / HANDLES,
    descriptors: (descriptors() - fds) / HANDLES,
  };
  for (const handle of handles) handle.close();
  return outcome;
}

/** Finalizers run in turns of the loop. */
function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

const [, , chosen = ''] = argv;
const subject = SUBJECTS[chosen];
const opener = OPENERS[chosen];
if (subject !== undefined || opener !== undefined) {
  const outcome =
    subject === undefined
      ? await measureHandles(/** @type {any} */ (opener))
      : await measure(subject);
  stdout.write(`\n${JSON.stringify(outcome)}\n`);
  process.exit();
}
