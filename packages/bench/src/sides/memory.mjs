// @ts-check
// memory.mjs SUBJECT OPERATIONS: both ends of a mechanism in one process, one operation after the other; see
// ../memory.mjs for what is measured.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import process, { argv, memoryUsage, pid, stdout } from 'node:process';
import { getHeapSpaceStatistics } from 'node:v8';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Operations without a collection; what they allocate has to fit into the young generation. */
const FEW = 20_000;
/** Before they are measured: what is compiled as it runs has been compiled. */
const WARM = 200_000;
const MANY = Number(argv[3] ?? 1_000_000);
/** Of which each allocation is looked at. */
const SAMPLED = 2000;
/** Samples that are thrown away. */
const SETTLED = 10;
/** Handles that are open at once. */
const HANDLES = 500;

const message = Buffer.alloc(64, 7);

/** Of what has a name; kinds do not share theirs. */
const NAME = `/octoipc-bench-${pid}`;

/**
 * Makes what does so many operations, each a message (or whatever it is) there and back. What is awaited is awaited
 * once for all that were begun together, as a program under load does.
 *
 * @typedef {() => Promise<(count: number) => unknown>} Subject
 */

/** @param {() => unknown} operation */
const each = (operation) => (/** @type {number} */ count) => {
  for (let n = 0; n < count; n++) operation();
};

/** Messages that are sent before they are received. */
const WINDOW = 100;

/** As many as a POSIX queue has room for. */
const MESSAGES = 4;

/**
 * Sends a window and takes it, until all have come.
 *
 * @param {() => unknown} send
 * @param {() => Promise<number>} take - how many came
 * @param {number} [window]
 */
const windows =
  (send, take, window = WINDOW) =>
  async (/** @type {number} */ count) => {
    for (let n = 0; n < count;) {
      const length = Math.min(window, count - n);
      for (let i = 0; i < length; i++) send();
      for (let left = length; left > 0;) left -= await take();
      n += length;
    }
  };

/** @type {Record<string, Subject>} */
export const SUBJECTS = {
  'pipe: writeSync, readSync({ into })': async () => {
    const { reader, writer } = await pipe();
    const target = { into: Buffer.alloc(64) };
    return each(() => {
      writer.writeSync(message);
      reader.readSync(target);
    });
  },
  'pipe: tryWrite, tryRead': async () => {
    const { reader, writer } = await pipe();
    return each(() => {
      writer.tryWrite(message);
      reader.tryRead();
    });
  },
  'pipe: send, receiveMany, by frames': async () => {
    const { pipeReceiver, pipeSender } = await import('@octoipc/pipe');
    const { reader, writer } = await pipe();
    const sender = pipeSender(writer);
    const receiver = pipeReceiver(reader);
    return windows(
      () => sender.send(message),
      async () => (await receiver.receiveMany()).length,
    );
  },
  'pipe: send, for await, by frames': async () => {
    const { pipeReceiver, pipeSender } = await import('@octoipc/pipe');
    const { reader, writer } = await pipe();
    const sender = pipeSender(writer);
    const messages = pipeReceiver(reader)[Symbol.asyncIterator]();
    return windows(
      () => sender.send(message),
      async () => ((await messages.next()).done === true ? 0 : 1),
    );
  },
  'fifo: writeSync, readSync({ into })': async () => {
    const { mkfifo, openReaderSync, tryOpenWriter } = await import('@octoipc/fifo');
    const path = join(folderOf(), 'fifo');
    mkfifo(path);
    const reader = kept(openReaderSync(path));
    const writer = kept(tryOpenWriter(path));
    const target = { into: Buffer.alloc(64) };
    return each(() => {
      writer?.writeSync(message);
      reader.readSync(target);
    });
  },
  'mq, POSIX: trySend, tryReceive': async () => {
    const queue = await posixQueue();
    return each(() => {
      queue.trySend(message);
      queue.tryReceive();
    });
  },
  'mq, POSIX: sendSync, receiveSync({ into })': async () => {
    const queue = await posixQueue();
    const target = { into: Buffer.alloc(64) };
    return each(() => {
      queue.sendSync(message);
      queue.receiveSync(target);
    });
  },
  'mq, POSIX: trySend, receiveMany': async () => {
    const queue = await posixQueue();
    return windows(
      () => queue.trySend(message),
      async () => (await queue.receiveMany()).length,
      MESSAGES,
    );
  },
  'mq, System V: trySend, tryReceive': async () => {
    const queue = await sysvQueue();
    return each(() => {
      queue.trySend(message);
      queue.tryReceive();
    });
  },
  'mq, System V: sendSync, receiveSync({ into })': async () => {
    const queue = await sysvQueue();
    const target = { into: Buffer.alloc(64) };
    return each(() => {
      queue.sendSync(message);
      queue.receiveSync(target);
    });
  },
  'sem, POSIX: tryAcquire, release': async () => {
    const { PosixSemaphore } = await import('@octoipc/sem');
    const semaphore = PosixSemaphore.open(NAME, {
      create: true,
      temporary: true,
      value: 1,
    });
    return each(() => {
      semaphore.tryAcquire();
      semaphore.release();
    });
  },
  'sem, System V: tryOperate, there and back': async () => {
    const { SysvSemaphoreSet } = await import('@octoipc/sem');
    const set = kept(SysvSemaphoreSet.open('private', { temporary: true, count: 1 }));
    const give = [{ index: 0, delta: 1 }];
    const take = [{ index: 0, delta: -1 }];
    return each(() => {
      set.tryOperate(give);
      set.tryOperate(take);
    });
  },
  'sem, Mutex: tryLock, unlock': async () => {
    const { Mutex } = await import('@octoipc/sem');
    const mutex = Mutex.open(NAME, { create: true, temporary: true });
    return each(() => mutex.tryLock()?.unlock());
  },
  'sem, RwLock: tryReadLock, unlock': async () => {
    const lock = await rwLock();
    return each(() => lock.tryReadLock()?.unlock());
  },
  'sem, RwLock: tryWriteLock, unlock': async () => {
    const lock = await rwLock();
    return each(() => lock.tryWriteLock()?.unlock());
  },
  'sem, Condition: notify, while nobody waits': async () => {
    const { Condition } = await import('@octoipc/sem');
    const condition = kept(Condition.open(NAME, { temporary: true }));
    return each(() => condition.notify());
  },
  'shm, ring: trySend, tryReceive': async () => {
    const { producer, consumer } = await ring();
    return each(() => {
      producer.trySend(message);
      consumer.tryReceive();
    });
  },
  'shm, ring: trySend, consume': async () => {
    const { producer, consumer } = await ring();
    let sum = 0;
    const take = (/** @type {Uint8Array} */ bytes) => {
      sum += Number(bytes[0]);
    };
    return windows(
      () => producer.trySend(message),
      async () => consumer.consume(take),
    );
  },
  'shm, ring: trySend, receive': async () => {
    const { producer, consumer } = await ring();
    return windows(
      () => producer.trySend(message),
      async () => {
        await consumer.receive();
        return 1;
      },
    );
  },
  'shm, ring: trySend, receiveMany': async () => {
    const { producer, consumer } = await ring();
    return windows(
      () => producer.trySend(message),
      async () => (await consumer.receiveMany()).length,
    );
  },
  'shm, ShmBroadcast: send, tryReceive': async () => {
    const { ShmBroadcast } = await import('@octoipc/shm');
    const made = kept(ShmBroadcast.create(NAME, { capacity: 1 << 16, temporary: true }));
    const producer = kept(made.producer());
    const consumer = kept(made.consumer());
    return each(() => {
      producer.send(message);
      consumer.tryReceive();
    });
  },
  'shm, ShmValue: set, get': async () => {
    const { ShmValue } = await import('@octoipc/shm');
    const value = kept(ShmValue.create(NAME, { maxSize: 64, temporary: true }));
    return each(() => {
      value.set(message);
      value.get();
    });
  },
  'socket, datagram: trySend, tryReceive': async () => {
    const { Datagram } = await import('@octoipc/socket');
    const { AF_UNIX, SOCK_DGRAM, socketpair } = await import('@octoipc/socket/posix');
    const [ours, theirs] = socketpair(AF_UNIX, SOCK_DGRAM);
    const [sender, receiver] = kept([Datagram.fromFd(ours), Datagram.fromFd(theirs)]);
    return each(() => {
      sender?.trySend(message);
      receiver?.tryReceive();
    });
  },
  'socket, seqpacket: sendSync, receiveSync': async () => {
    const [ours, theirs] = await pair('seqpacket');
    return each(() => {
      ours.sendSync(message);
      theirs.receiveSync();
    });
  },
  'socket, stream: send, receive, by frames': async () => {
    const { socketReceiver, socketSender } = await import('@octoipc/socket');
    const [ours, theirs] = await pair('stream');
    const sender = socketSender(ours);
    const receiver = socketReceiver(theirs);
    return windows(
      () => sender.send(message),
      async () => {
        await receiver.receive();
        return 1;
      },
    );
  },
  'signal: send, tryWait': async () => {
    const { send, watch } = await import('@octoipc/signal');
    const watcher = watch('SIGRTMIN+1');
    held.push(watcher);
    return each(() => {
      send(pid, 'SIGRTMIN+1');
      while (watcher.tryWait() === undefined);
    });
  },
};

async function pipe() {
  const { createPipe } = await import('@octoipc/pipe');
  return kept(createPipe());
}

/** @param {'seqpacket' | 'stream'} type */
async function pair(type) {
  const { socketPair } = await import('@octoipc/socket');
  return kept(socketPair({ type }));
}

async function rwLock() {
  const { RwLock } = await import('@octoipc/sem');
  return kept(RwLock.open(NAME, { temporary: true }));
}

async function posixQueue() {
  const { PosixQueue } = await import('@octoipc/mq');
  return kept(
    PosixQueue.open(NAME, {
      create: true,
      temporary: true,
      maxMessages: MESSAGES,
      maxMessageSize: 64,
    }),
  );
}

async function sysvQueue() {
  const { SysvQueue } = await import('@octoipc/mq');
  return kept(SysvQueue.open('private', { create: true, temporary: true }));
}

async function ring() {
  const { SharedMemory, ShmRing } = await import('@octoipc/shm');
  const memory = SharedMemory.memfd({ name: 'octoipc-bench', size: 1 << 20 });
  const made = ShmRing.create(memory, { capacity: 1 << 16 });
  held.push(memory, made);
  return { producer: made.producer(), consumer: made.consumer() };
}

/**
 * Opens one more handle.
 *
 * @typedef {{ close(): unknown }} Closable
 * @type {Record<string, () => Promise<() => Closable | Promise<Closable>>>}
 */
export const OPENERS = {
  'pipe: createPipe()': async () => {
    const { createPipe } = await import('@octoipc/pipe');
    return () => createPipe();
  },
  'fifo: tryOpenWriter()': async () => {
    const { mkfifo, openReaderSync, tryOpenWriter } = await import('@octoipc/fifo');
    const path = join(folderOf(), 'fifo');
    mkfifo(path);
    held.push(openReaderSync(path));
    return () => /** @type {Closable} */ (tryOpenWriter(path));
  },
  'mq, POSIX: PosixQueue.open()': async () => {
    const { PosixQueue } = await import('@octoipc/mq');
    await posixQueue();
    return () => PosixQueue.open(NAME);
  },
  'mq, System V: SysvQueue.fromId()': async () => {
    const { SysvQueue } = await import('@octoipc/mq');
    const queue = SysvQueue.open('private', { temporary: true });
    held.push(queue);
    return () => SysvQueue.fromId(queue.id);
  },
  'sem, POSIX: PosixSemaphore.open()': async () => {
    const { PosixSemaphore } = await import('@octoipc/sem');
    held.push(PosixSemaphore.open(NAME, { create: true, temporary: true, value: 1 }));
    return () => PosixSemaphore.open(NAME);
  },
  'sem: Mutex.open()': async () => {
    const { Mutex } = await import('@octoipc/sem');
    held.push(Mutex.open(NAME, { create: true, temporary: true }));
    return () => Mutex.open(NAME);
  },
  'sem: RwLock.open()': async () => {
    const { RwLock } = await import('@octoipc/sem');
    await rwLock();
    return () => RwLock.open(NAME);
  },
  'shm: SharedMemory.open(), 4 KiB': async () => {
    const { SharedMemory } = await import('@octoipc/shm');
    held.push(SharedMemory.open(NAME, { create: true, temporary: true, size: 4096 }));
    return () => SharedMemory.open(NAME);
  },
  'shm: ShmRing.attach(), 64 KiB': async () => {
    const { ShmRing } = await import('@octoipc/shm');
    held.push(ShmRing.create(NAME, { capacity: 1 << 16, temporary: true }));
    return () => ShmRing.attach(NAME);
  },
  'shm: ShmBroadcast.attach(), 64 KiB': async () => {
    const { ShmBroadcast } = await import('@octoipc/shm');
    held.push(ShmBroadcast.create(NAME, { capacity: 1 << 16, temporary: true }));
    return () => ShmBroadcast.attach(NAME);
  },
  'shm: ShmValue.attach(), 64 B': async () => {
    const { ShmValue } = await import('@octoipc/shm');
    held.push(ShmValue.create(NAME, { maxSize: 64, temporary: true }));
    return () => ShmValue.attach(NAME);
  },
  'signal: watch(), beside another watcher': async () => {
    const { watch } = await import('@octoipc/signal');
    held.push(watch('SIGRTMIN+1'));
    return () => watch('SIGRTMIN+1');
  },
  'signal: openProcess()': async () => {
    const { openProcess } = await import('@octoipc/signal');
    return () => openProcess(pid);
  },
  'socket: Datagram.bind()': async () => {
    const { Datagram } = await import('@octoipc/socket');
    return () => Datagram.bind();
  },
  'socket: listen({ path })': async () => {
    const { listen } = await import('@octoipc/socket');
    const folder = folderOf();
    let number = 0;
    return () => listen({ path: join(folder, String(number++)) });
  },
  'socket: socketPair()': async () => {
    const { socketPair } = await import('@octoipc/socket');
    return () => {
      const ends = socketPair();
      return { close: () => ends.forEach((end) => end.close()) };
    };
  },
};

/** A folder of this process. */
function folderOf() {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What would be closed if it were collected. @type {unknown[]} */
const held = [];

/** @template T @param {T} handle */
function kept(handle) {
  held.push(handle);
  return handle;
}

/** How many objects an operation allocates: every allocation is sampled. @param {(count: number) => unknown} run */
async function objectsOf(run) {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.enable');
  const counted = async (/** @type {number} */ count) => {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval: 1,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await run(count);
    /** @type {any} The types do not know its samples. */
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return profile.samples.length;
  };
  // What was compiled for the first of them is compiled once more.
  for (let n = 0; n < SETTLED; n++) await counted(SAMPLED);
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
  const run = await subject();
  const gc = /** @type {() => void} */ (globalThis.gc);
  await run(WARM);
  await turn();
  gc();
  const before = memoryUsage().heapUsed;
  await run(FEW);
  const perOperation = (memoryUsage().heapUsed - before) / FEW;
  const objects = await objectsOf(run);
  const few = MANY / 10;
  /** @param {number} count */
  const runMany = async (count) => {
    for (let n = 0; n < count; n += FEW) {
      await run(FEW);
      await turn();
    }
    gc();
  };
  await runMany(few);
  const start = memoryUsage();
  const old = oldSpace();
  await runMany(MANY - few);
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
async function measureHandles(/** @type {typeof OPENERS[string]} */ opener) {
  const open = await opener();
  const gc = /** @type {() => void} */ (globalThis.gc);
  const descriptors = () => readdirSync('/proc/self/fd').length;
  for (let n = 0; n < HANDLES; n++) await (await open()).close();
  await turn();
  gc();
  const before = memoryUsage();
  const fds = descriptors();
  const handles = [];
  for (let n = 0; n < HANDLES; n++) handles.push(await open());
  gc();
  const after = memoryUsage();
  const outcome = {
    heap: (after.heapUsed - before.heapUsed) / HANDLES,
    resident: (after.rss - before.rss) / HANDLES,
    descriptors: (descriptors() - fds) / HANDLES,
  };
  for (const handle of handles) await handle.close();
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
