// What many processes use at once: how many send and receive, what they share, and how each of them goes about it.
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { Mutex } from '@octoipc/sem';
import { SharedMemory, ShmRing } from '@octoipc/shm';
import { connect, listen } from '@octoipc/socket';

import { LONGEST } from './load-tally.mjs';

/** Tells a receiver that nothing more comes: shorter than any message. */
const END = Buffer.from('end');
const isEnd = (bytes) => bytes.length === END.length;
/** Messages that one sends before it leaves its seat to another. */
const TURN = 64;

const half = (processes) => ({
  senders: Math.ceil(processes / 2),
  receivers: Math.max(1, Math.floor(processes / 2)),
});

/** What a queue of several receivers has in common. */
const queue = (processes, open) => ({
  ...half(processes),
  make(name) {
    const { handle, where } = open(name);
    return {
      where,
      async finish(receivers) {
        for (let n = 0; n < receivers; n++) await handle.send(END);
      },
      close: () => handle.close(),
    };
  },
});

export const KINDS = {
  'POSIX queue': (processes) =>
    queue(processes, (name) => {
      const options = { temporary: true, maxMessages: 8, maxMessageSize: LONGEST };
      return { handle: PosixQueue.open(name, options), where: { name } };
    }),
  'System V queue': (processes) =>
    queue(processes, () => {
      const handle = SysvQueue.open('private', { temporary: true });
      return { handle, where: { id: handle.id } };
    }),
  ring: (processes) => ({
    senders: processes - 1,
    receivers: 1,
    make(name) {
      const options = { capacity: 1 << 16, maxMessageSize: LONGEST, producers: 'multiple' };
      const ring = ShmRing.create(name, { ...options, temporary: true });
      return {
        where: { name },
        async finish() {
          const producer = ring.producer();
          await producer.send(END);
          producer.close();
        },
        close: () => ring.close(),
      };
    },
  }),
  lock: (processes) => ({
    senders: processes,
    receivers: 0,
    make(name) {
      const memory = SharedMemory.open(name, { temporary: true, size: 4096 });
      const mutex = Mutex.open(name, { temporary: true });
      const word = memory.view(Uint32Array, 0, 1);
      return {
        where: { name },
        check(sent) {
          const total = sent.reduce((sum, { count }) => sum + count, 0);
          if (word[0] !== total >>> 0) throw new Error(`${total} turns, ${word[0]} counted`);
        },
        close() {
          mutex.close();
          memory.close();
        },
      };
    },
  }),
  server: (processes) => ({
    senders: processes - 1,
    receivers: 1,
    make: () => ({
      where: { path: join(tmpdir(), `octoipc-load-${process.pid}.socket`) },
      close() {},
    }),
  }),
};

/** Opens what is shared, in a sender: how it sends one, and ends. */
export async function opener(kind, where) {
  if (kind === 'POSIX queue') {
    const handle = PosixQueue.open(where.name, { access: 'send' });
    return { send: (message) => handle.send(message), close: () => handle.close() };
  }
  if (kind === 'System V queue') {
    const handle = SysvQueue.fromId(where.id);
    return { send: (message) => handle.send(message), close: () => handle.close() };
  }
  if (kind === 'ring') return ringSender(ShmRing.attach(where.name));
  if (kind === 'lock') {
    const mutex = Mutex.open(where.name);
    const memory = SharedMemory.open(where.name);
    const word = memory.view(Uint32Array, 0, 1);
    return {
      async send() {
        const guard = await mutex.lock();
        // Not atomic: two at once would lose one.
        word[0] += 1;
        guard.unlock();
      },
      close() {
        mutex.close();
        memory.close();
      },
    };
  }
  const connection = await connect(where);
  return {
    async send(message) {
      await connection.send(message);
      const answer = await connection.receive();
      if (!answer.equals(message)) throw new Error('another answer came');
    },
    close: () => connection.close(),
  };
}

/** More producers than seats: each gives its seat up after a turn. */
function ringSender(ring) {
  let producer;
  let left = 0;
  return {
    async send(message) {
      while (left === 0) {
        try {
          producer = ring.producer();
          left = TURN;
        } catch (error) {
          if (error.code !== 'EBUSY') throw error;
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await producer.send(message);
      left -= 1;
      if (left === 0) producer.close();
    },
    close() {
      producer?.close();
      ring.close();
    },
  };
}

/** Takes everything until the end, or of a server until all clients have gone. */
export async function receiving(kind, where, enter, ready) {
  if (kind === 'server') return serving(where, enter, ready);
  const { take, close } = taker(kind, where);
  ready();
  for (;;) {
    const bytes = await take();
    if (isEnd(bytes)) break;
    enter(bytes);
  }
  close();
}

function taker(kind, where) {
  if (kind === 'ring') {
    const ring = ShmRing.attach(where.name);
    const consumer = ring.consumer();
    return { take: () => consumer.receive(), close: () => ring.close() };
  }
  const handle =
    kind === 'POSIX queue'
      ? PosixQueue.open(where.name, { access: 'receive' })
      : SysvQueue.fromId(where.id);
  return { take: async () => (await handle.receive()).data, close: () => handle.close() };
}

async function serving(where, enter, ready) {
  const server = await listen(where);
  let live = 0;
  const all = new Promise((resolve, reject) => {
    const serve = async () => {
      for await (const connection of server) {
        live += 1;
        answer(connection).then(() => {
          live -= 1;
          if (live === 0) resolve();
        }, reject);
      }
    };
    serve().catch(reject);
  });
  const answer = async (connection) => {
    for (;;) {
      const bytes = await connection.receive();
      if (bytes === null) break;
      enter(bytes);
      await connection.send(bytes);
    }
    connection.close();
  };
  ready();
  await all;
  server.close();
}
