// One operation of each kind that is done again and again: on an object that stays, and from its making to its end.
// `share` of the count is what those are done that make an object, or a process.
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openReaderSync, openWriterSync } from '@octoipc/fifo';
import { PosixQueue, receiveAny, SysvQueue } from '@octoipc/mq';
import { createPipe, splice } from '@octoipc/pipe';
import { popen } from '@octoipc/popen';
import { Barrier, Condition, Mutex, PosixSemaphore, RwLock, SysvSemaphoreSet } from '@octoipc/sem';
import { SharedMemory, ShmBroadcast, ShmRing, ShmValue, SysvSharedMemory } from '@octoipc/shm';
import { send, watch } from '@octoipc/signal';
import { connect, Datagram, listen, socketPair } from '@octoipc/socket';

const name = `/octoipc-flat-${process.pid}`;
const TIMEOUT = 60_000;
const timeout = { timeout: TIMEOUT };
const LIFE = 0.1;
/** Of what makes a process, too. */
const PROGRAM = 0.02;

/** Done on handles that are made once. */
const on = (mechanism, handles, operation) => ({
  mechanism,
  async make() {
    const all = await handles();
    const list = Array.isArray(all) ? all : [all];
    return {
      operation: (i) => operation(...list, i),
      end: () => list.forEach((handle) => handle.close()),
    };
  },
});

/** A whole life, from making to closing. */
const life = (mechanism, open, share = LIFE) => ({
  mechanism,
  share,
  make: () => ({ operation: async () => (await open()).close(), end() {} }),
});

const aborted = async (start) => {
  const controller = new AbortController();
  const waiting = start(controller.signal).catch((error) => error);
  controller.abort();
  const { name: reason } = await waiting;
  if (reason !== 'AbortError') throw new Error(`${reason} came for an abort`);
};

const posix = () => PosixQueue.open(name, { temporary: true, maxMessages: 4, maxMessageSize: 64 });
const sysv = () => SysvQueue.open('private', { temporary: true });
const mutex = () => Mutex.open(name, { temporary: true });

const ring = {
  mechanism: 'shm',
  make() {
    const made = ShmRing.create(name, { capacity: 4096, temporary: true });
    const [producer, consumer] = [made.producer(), made.consumer()];
    return {
      async operation() {
        const received = consumer.receive(timeout);
        producer.trySend('hello');
        await received;
      },
      end: () => made.close(),
    };
  },
};

const broadcast = {
  mechanism: 'shm',
  make() {
    const made = ShmBroadcast.create(name, { capacity: 4096, temporary: true });
    const [producer, consumer] = [made.producer(), made.consumer()];
    return {
      async operation() {
        const received = consumer.receive(timeout);
        producer.send('hello');
        await received;
      },
      end: () => made.close(),
    };
  },
};

/** A path for a socket, in a folder of its own. */
function place() {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-flat-'));
  return { path: join(path, 'socket'), remove: () => rmSync(path, { recursive: true }) };
}

/** Messages over a connection, of whichever kind. */
const connection = (address, options) => ({
  mechanism: 'socket',
  async make() {
    const { path, remove } = place();
    const server = await listen(address ?? { path }, options);
    const [peer, client] = await Promise.all([
      server.accept(timeout),
      connect(server.address, { ...options, ...timeout }),
    ]);
    return {
      async operation() {
        const received = peer.receive(timeout);
        await client.send('hello');
        await received;
      },
      end() {
        for (const each of [client, peer, server]) each.close();
        remove();
      },
    };
  },
});

const datagrams = {
  mechanism: 'socket',
  async make() {
    const { path, remove } = place();
    const server = await Datagram.bind({ path });
    const client = await Datagram.connect({ path });
    return {
      async operation() {
        const received = server.receive(timeout);
        await client.send('hello');
        await received;
      },
      end() {
        for (const each of [client, server]) each.close();
        remove();
      },
    };
  },
};

const descriptors = on(
  'socket',
  () => socketPair(),
  async (one, other) => {
    const received = other.receiveFds({ maxFds: 2, ...timeout });
    await one.sendFds([0, other.fd], 'hello', timeout);
    for (const fd of (await received).fds) closeSync(fd);
  },
);

const condition = on(
  'sem',
  () => [Mutex.open(name, { temporary: true }), Condition.open(name, { temporary: true })],
  async (lock, changed) => {
    const waiting = changed.wait(await lock.lock(timeout), timeout);
    const guard = await lock.lock(timeout);
    changed.notify();
    guard.unlock();
    (await waiting).unlock();
  },
);

const notifications = {
  mechanism: 'mq',
  make() {
    const queue = posix();
    const told = queue.notifications(timeout);
    return {
      async operation() {
        const next = told.next();
        await queue.send('hello');
        await next;
        await queue.receive(timeout);
      },
      async end() {
        await told.return();
        queue.close();
      },
    };
  },
};

const spliced = on(
  'pipe',
  () => [createPipe(), createPipe()],
  async (from, to) => {
    const moved = splice(from.reader, to.writer, { length: 5, ...timeout });
    await from.writer.write('hello');
    await moved;
    await to.reader.read(timeout);
  },
);

/** Leaks that are found, or else nothing is: of the heap of V8, and beside it, some hundred bytes each. */
const planted = (leak) => ({
  mechanism: 'core',
  make() {
    const kept = [];
    return { operation: () => void kept.push(leak()), end: () => void (kept.length = 0) };
  },
});
export const PLANTED = {
  'a planted leak of the heap': planted(() => Array(64).fill(0)),
  'a planted leak beside it': planted(() => Buffer.allocUnsafeSlow(1000).fill(1)),
};

const connections = {
  mechanism: 'socket',
  share: LIFE,
  async make() {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-flat-'));
    const path = join(folder, 'socket');
    const server = await listen({ path });
    return {
      async operation() {
        const [peer, client] = await Promise.all([
          server.accept(timeout),
          connect({ path }, timeout),
        ]);
        client.close();
        peer.close();
      },
      end() {
        server.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

const fifo = {
  mechanism: 'fifo',
  share: LIFE,
  make() {
    const folder = mkdtempSync(join(tmpdir(), 'octoipc-flat-'));
    const path = join(folder, 'fifo');
    return {
      async operation() {
        const reader = openReaderSync(path, { create: true, waitForWriter: false });
        const writer = openWriterSync(path, timeout);
        await writer.write('hello');
        await reader.read(timeout);
        writer.close();
        reader.close();
      },
      end: () => rmSync(folder, { recursive: true }),
    };
  },
};

const signal = {
  mechanism: 'signal',
  make() {
    const watcher = watch('SIGRTMIN+3');
    return {
      async operation(i) {
        const next = watcher.wait(timeout);
        send(process.pid, 'SIGRTMIN+3', { value: i });
        await next;
      },
      end: () => watcher.close(),
    };
  },
};

export const OPERATIONS = {
  'pipe write, read': on(
    'pipe',
    () => createPipe(),
    async ({ reader, writer }) => {
      const read = reader.read(timeout);
      await writer.write('hello');
      await read;
    },
  ),
  'pipe, aborted read': on(
    'pipe',
    () => createPipe(),
    ({ reader }) => aborted((abort) => reader.read({ signal: abort })),
  ),
  'pipe splice': spliced,
  'pipe life': life('pipe', createPipe),
  'fifo life': fifo,
  'mq POSIX send, receive': on('mq', posix, async (queue) => {
    const received = queue.receive(timeout);
    await queue.send('hello');
    await received;
  }),
  'mq POSIX, aborted': on('mq', posix, (queue) =>
    aborted((abort) => queue.receive({ signal: abort })),
  ),
  'mq notifications': notifications,
  'mq receiveAny': on(
    'mq',
    () => [posix(), sysv()],
    async (first, second, i) => {
      const received = receiveAny([first, second], timeout);
      await (i % 2 === 0 ? first : second).send('hello');
      await received;
    },
  ),
  'mq POSIX life': life('mq', posix),
  'mq System V send, receive': on('mq', sysv, async (queue) => {
    await queue.send('hello');
    await queue.receive(timeout);
  }),
  'mq System V life': life('mq', sysv),
  'sem POSIX': on(
    'sem',
    () => PosixSemaphore.open(name, { temporary: true, value: 1 }),
    async (semaphore) => (await semaphore.acquire(timeout)).release(),
  ),
  'sem System V': on(
    'sem',
    () => SysvSemaphoreSet.open('private', { temporary: true, count: 1, values: [1] }),
    async (set) => {
      await set.operate([{ index: 0, delta: -1 }], timeout);
      await set.operate([{ index: 0, delta: 1 }], timeout);
    },
  ),
  'sem Mutex': on('sem', mutex, async (lock) => (await lock.lock(timeout)).unlock()),
  'sem RwLock': on(
    'sem',
    () => RwLock.open(name, { temporary: true }),
    async (lock) => {
      (await lock.readLock(timeout)).unlock();
      (await lock.writeLock(timeout)).unlock();
    },
  ),
  'sem Condition': condition,
  'sem Barrier': on(
    'sem',
    () => Barrier.open(name, { temporary: true, parties: 1 }),
    (barrier) => barrier.arrive(timeout),
  ),
  'sem Mutex life': life('sem', mutex),
  'shm wait, notify': on(
    'shm',
    () => SharedMemory.open(name, { temporary: true, size: 4096 }),
    async (memory, i) => {
      const word = memory.view(Int32Array, 0, 1);
      word[0] = i;
      const woken = memory.wait(0, i, timeout);
      word[0] = i + 1;
      memory.notify(0);
      await woken;
    },
  ),
  ring,
  broadcast,
  'value set, get': on(
    'shm',
    () => ShmValue.create(name, { maxSize: 64, temporary: true }),
    (value, i) => {
      value.set(String(i));
      value.get();
    },
  ),
  'shm POSIX life': life('shm', () => SharedMemory.open(name, { temporary: true, size: 4096 })),
  'shm memfd life': life('shm', () => SharedMemory.memfd({ size: 4096 })),
  'shm System V life': life('shm', () =>
    SysvSharedMemory.open('private', { temporary: true, create: true, size: 4096 }),
  ),
  'ring life': life('shm', () => ShmRing.create(name, { capacity: 4096, temporary: true })),
  'signal send, wait': signal,
  'signal watch life': life('signal', () => watch('SIGRTMIN+4')),
  'socket send, receive': connection(),
  'socket seqpacket': connection(undefined, { type: 'seqpacket' }),
  'socket TCP': connection({ host: '127.0.0.1', port: 0 }),
  'socket Datagram': datagrams,
  'socket descriptors passed': descriptors,
  'socket connection life': connections,
  'popen life': life(
    'popen',
    async () => {
      const child = popen(['true'], 'r');
      await child.close(timeout);
      return { close() {} };
    },
    PROGRAM,
  ),
};
