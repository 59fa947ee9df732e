import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';

import type {
  CrashSafetyAdapter,
  LifecycleAdapter,
  MessageChannelAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { SharedMemory, ShmBroadcast, ShmRing, shmReceiver, shmSender } from '@octoipc/shm';

import { broadcastConsumer, ringConsumer, ringProducer } from './fixtures/ring-waitable.mjs';
import { freshName } from './memories.js';

const mechanism = 'RING';
const script = new URL('./fixtures/ring-roles.mjs', import.meta.url);

export const channel: MessageChannelAdapter = {
  name: 'shmSender() and shmReceiver()',
  mechanism,
  lacks: {
    end: 'a ring goes on with the next producer',
    brokenPipe: 'a ring goes on with the next consumer',
    priorities: 'a ring is in order',
  },
  open() {
    const memory = SharedMemory.memfd({ size: 4096 + 8192 });
    const receiver = shmReceiver(ShmRing.create(memory, { capacity: 8192, maxMessageSize: 2048 }));
    const sender = shmSender(ShmRing.attach(memory));
    memory.close();
    return { sender, receiver };
  },
};

export const waits: readonly WaitableAdapter[] = [
  { name: 'RingConsumer.receive()', mechanism, open: ringConsumer },
  {
    name: 'RingProducer.send()',
    mechanism,
    lacks: { tokens: 'room is not told apart' },
    open: ringProducer,
  },
  { name: 'BroadcastConsumer.receive()', mechanism, open: broadcastConsumer },
];

/** Starts a peer that finds the ring by its name, in the environment. */
function start(args: string[], name: string): ChildProcess {
  const env = { ...process.env, OCTOIPC_TEST_RING: name };
  return spawn(process.execPath, args, { env, stdio: 'pipe' });
}

const SMALL = { capacity: 4096, maxMessageSize: 512, temporary: true } as const;

export const crashes: CrashSafetyAdapter = {
  name: 'ShmRing',
  mechanism,
  script,
  lacks: {
    bytes: 'a ring has messages',
    end: 'a ring goes on with the next producer',
    brokenPipe: 'a ring goes on with the next consumer',
  },
  async startSender(args) {
    const name = freshName();
    const receiver = shmReceiver(ShmRing.create(name, SMALL));
    return { child: start(args, name), receiver };
  },
  async startReceiver(args) {
    const name = freshName();
    const sender = shmSender(ShmRing.create(name, SMALL));
    return {
      child: start(args, name),
      sender,
      another: () => shmReceiver(ShmRing.attach(name)),
    };
  },
  leftovers: () => readdirSync('/dev/shm').filter((name) => name.includes(`-${process.pid}-`)),
};

export const resources: ResourcesAdapter = {
  dropped: 10_000,
  name: 'ShmRing.create()',
  mechanism,
  script,
  open() {
    const memory = SharedMemory.memfd({ size: 8192 });
    const made = ShmRing.create(memory, { capacity: 4096 });
    const other = ShmRing.attach(memory);
    memory.close();
    const consumer = made.consumer();
    const producer = other.producer();
    const use = async (): Promise<void> => {
      const received = consumer.receive();
      await producer.send('x');
      await received;
    };
    return { handles: [consumer, producer, made, other], use };
  },
  failures: {
    'a name that does not exist': () => ShmRing.attach('/octoipc-nowhere'),
    'a name that is taken': () => {
      const name = freshName();
      const ring = ShmRing.create(name, SMALL);
      try {
        ShmRing.create(name, SMALL);
      } finally {
        ring.close();
      }
    },
    'memory that holds something else': () => {
      const memory = SharedMemory.memfd({ size: 8192 });
      memory.bytes[0] = 1;
      try {
        ShmBroadcast.attach(memory);
      } finally {
        memory.close();
      }
    },
  },
};

export const kinds: readonly { readonly lifecycle: LifecycleAdapter }[] = [
  { lifecycle: { name: 'ShmRing', mechanism, script } },
  {
    lifecycle: {
      name: 'ShmBroadcast',
      mechanism,
      script: new URL('./fixtures/broadcast-roles.mjs', import.meta.url),
    },
  },
];
