// @ts-check
// memory.mjs SUBJECT: both ends of a mechanism in one process, one operation after the other; see
// ../memory.mjs for what is measured.
import { argv, memoryUsage, pid, stdout } from 'node:process';

/** Operations without a collection; what they allocate has to fit into the young generation. */
const FEW = 20_000;
const MANY = 1_000_000;

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
    const { PosixQueue } = await import('@octoipc/mq');
    const queue = PosixQueue.open(`/octoipc-bench-${pid}`, {
      create: true,
      temporary: true,
      maxMessages: 4,
      maxMessageSize: 64,
    });
    return () => {
      queue.trySend(message);
      queue.tryReceive();
    };
  },
  'mq, System V: trySend, tryReceive': async () => {
    const { SysvQueue } = await import('@octoipc/mq');
    const queue = SysvQueue.open('private', { create: true, temporary: true });
    return () => {
      queue.trySend(message);
      queue.tryReceive();
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

async function ring() {
  const { SharedMemory, ShmRing } = await import('@octoipc/shm');
  const memory = SharedMemory.memfd({ name: 'octoipc-bench', size: 1 << 20 });
  const made = ShmRing.create(memory, { capacity: 1 << 16 });
  return { made: [memory, made], producer: made.producer(), consumer: made.consumer() };
}

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
  gc();
  const start = memoryUsage();
  for (let n = 0; n < MANY; n++) {
    operation();
    if (n % FEW === 0) await turn();
  }
  await turn();
  gc();
  const end = memoryUsage();
  return {
    perOperation,
    operations: MANY,
    heapGrowth: end.heapUsed - start.heapUsed,
    residentGrowth: end.rss - start.rss,
  };
}

/** Finalizers run in turns of the loop. */
function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

const subject = SUBJECTS[argv[2] ?? ''];
if (subject !== undefined) {
  stdout.write(JSON.stringify(await measure(subject)));
  process.exit();
}
