import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync } from 'node:fs';

import type {
  BadInputAdapter,
  CrashSafetyAdapter,
  LifecycleAdapter,
  MessageChannelAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  Waitable,
  WaitableAdapter,
} from '@octoipc/conformance';
import { mqReceiver, mqSender, PosixQueue, receiveAny } from '@octoipc/mq';

import { reapInTurn } from '../../core/test/reaping.js';
import { exists, freshName, nameless, pairOf, SMALL } from './queues.js';

const mechanism = 'MQ';
const script = new URL('./fixtures/posix-roles.mjs', import.meta.url);

export const channel: MessageChannelAdapter = {
  name: 'mqSender() and mqReceiver() of PosixQueue',
  mechanism,
  lacks: {
    end: 'a queue outlives its senders',
    brokenPipe: 'a queue outlives its receivers',
  },
  open() {
    const { receiver, sender } = pairOf({ maxMessages: 8, maxMessageSize: 4096 });
    return { sender: mqSender(sender), receiver: mqReceiver(receiver) };
  },
};

export const receives: WaitableAdapter = {
  name: 'PosixQueue.receive()',
  mechanism,
  open(): Waitable {
    const queue = nameless();
    return {
      handle: queue,
      wait: (options) => queue.receive(options).then(({ data }) => data[0]),
      tryTake: () => queue.tryReceive()?.data[0],
      waitSync: (options) => queue.receiveSync(options).data[0],
      give: (token) => queue.send(Uint8Array.of(token)),
      close: () => queue.close(),
    };
  },
};

export const sends: WaitableAdapter = {
  name: 'PosixQueue.send()',
  mechanism,
  lacks: { tokens: 'room is not told apart' },
  open(): Waitable {
    const { sender, receiver } = pairOf({ maxMessages: 1 });
    sender.sendSync('x');
    return {
      handle: sender,
      wait: (options) => sender.send('x', options),
      tryTake: () => sender.trySend('x') || undefined,
      waitSync: (options) => sender.sendSync('x', options),
      give: () => void receiver.receiveSync(),
      close() {
        sender.close();
        receiver.close();
      },
    };
  },
};

const fresh = new Set<string>();

export const names: NamedObjectAdapter<PosixQueue> = {
  name: 'PosixQueue.open()',
  mechanism,
  script,
  freshName() {
    const name = freshName();
    fresh.add(name);
    return name;
  },
  open: (name, options) => PosixQueue.open(name, { ...SMALL, ...options }),
  unlink: (name) => PosixQueue.unlink(name),
  // Without the mqueue file system only queues that somebody has open can be listed.
  list: () => [
    ...PosixQueue.list().map(({ name }) => name),
    ...[...fresh].filter((name) => exists(name)),
  ],
  mode(name) {
    using queue = PosixQueue.open(name);
    return fstatSync(queue.fd).mode & 0o777;
  },
  mark: (queue, value) => queue.sendSync(Uint8Array.of(value)),
  marked: (queue) => queue.receiveSync({ timeout: 0 }).data[0] ?? 0,
  reap: reapInTurn,
};

export const resources: ResourcesAdapter = {
  name: 'PosixQueue.open()',
  mechanism,
  script,
  open() {
    const { sender, receiver } = pairOf();
    const use = async (): Promise<void> => {
      const received = receiver.receive();
      await sender.send('x');
      await received;
    };
    return { handles: [sender, receiver], use };
  },
  failures: {
    'a name that does not exist': () => PosixQueue.open('/octoipc-nowhere'),
    'a name that is taken': () => {
      const name = freshName();
      const queue = PosixQueue.open(name, { ...SMALL, temporary: true });
      try {
        PosixQueue.open(name, { exclusive: true, temporary: true });
      } finally {
        queue.close();
      }
    },
    'a limit that is passed': () =>
      PosixQueue.open(freshName(), { temporary: true, maxMessages: 2 ** 31 - 1 }),
    'a descriptor that is no queue': () => {
      const fd = openSync('/dev/null', 'r');
      try {
        PosixQueue.fromFd(fd);
      } finally {
        closeSync(fd);
      }
    },
  },
};

const isWait = (milliseconds: number): boolean => milliseconds >= 0;
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

export const input: BadInputAdapter = {
  name: 'PosixQueue',
  mechanism,
  open() {
    const queue = nameless({ maxMessages: 4, maxMessageSize: 16 });
    queue.sendSync('something');
    const create = (options: object): void =>
      PosixQueue.open(freshName(), { ...SMALL, temporary: true, ...options }).close();
    return {
      numbers: {
        'open({ mode })': (mode: never) => create({ mode }),
        'open({ maxMessages })': (maxMessages: never) => create({ maxMessages }),
        'open({ maxMessageSize })': (maxMessageSize: never) => create({ maxMessageSize }),
        'fromFd()': (fd: never) => PosixQueue.fromFd(fd),
        'send({ priority })': (priority: never) => queue.send('x', { priority }),
        'trySend({ priority })': (priority: never) => queue.trySend('x', { priority }),
        'sendSync({ priority })': (priority: never) => queue.sendSync('x', { priority }),
        'receive({ timeout })': {
          call: (timeout: never) => queue.receive({ timeout }),
          accepts: isWait,
        },
        'receiveSync({ timeout })': {
          call: (timeout: never) => queue.receiveSync({ timeout }),
          accepts: isWait,
        },
        'receiveMany({ max })': {
          call: (max: never) => queue.receiveMany({ max }),
          accepts: isCount,
        },
      },
      options: {
        'open()': (options: never) => PosixQueue.open(freshName(), options),
        'send()': (options: never) => queue.send('x', options),
        'trySend()': (options: never) => queue.trySend('x', options),
        'sendSync()': (options: never) => queue.sendSync('x', options),
        'receive()': (options: never) => queue.receive(options),
        'receiveSync()': (options: never) => queue.receiveSync(options),
        'receiveMany()': (options: never) => queue.receiveMany(options),
        'notifications()': (options: never) => queue.notifications(options),
        'receiveAny()': (options: never) => receiveAny([queue], options),
      },
      waits: {
        'send()': (options: never) => queue.send('x', options),
        'receive()': (options: never) => queue.receive(options),
        'receiveMany()': (options: never) => queue.receiveMany(options),
        'notifications()': (options: never) => queue.notifications(options),
        'receiveAny()': (options: never) => receiveAny([queue], options),
      },
      data: {
        'send()': (data: never) => queue.send(data),
        'trySend()': (data: never) => queue.trySend(data),
        'sendSync()': (data: never) => queue.sendSync(data),
      },
      names: {
        'open()': (name: never) => PosixQueue.open(name, { ...SMALL, create: true }).close(),
        'unlink()': (name: never) => PosixQueue.unlink(name),
      },
      methods: [
        {
          of: queue,
          names: ['send', 'trySend', 'sendSync', 'receive', 'tryReceive', 'receiveSync'],
        },
        {
          of: queue,
          names: ['receiveMany', 'notifications', 'attributes', 'nonblocking', 'fd', 'release'],
        },
        { of: queue, names: ['close', 'closed', 'ref', 'unref'] },
      ],
      state: () => [queue.attributes, queue.closed],
      close: () => queue.close(),
    };
  },
};

/** The peer has the queue as its descriptor 3. */
const start = (args: string[], queue: PosixQueue) =>
  spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe', queue.fd] });

export const crashes: CrashSafetyAdapter = {
  name: 'PosixQueue',
  mechanism,
  script,
  lacks: {
    bytes: 'a queue has messages',
    end: 'a queue outlives its senders',
    brokenPipe: 'a queue outlives its receivers',
  },
  async startSender(args) {
    const queue = nameless({ maxMessages: 8, maxMessageSize: 256 });
    return { child: start(args, queue), receiver: mqReceiver(queue) };
  },
  async startReceiver(args) {
    const { sender, receiver } = pairOf({ maxMessages: 8, maxMessageSize: 256 });
    return {
      child: start(args, sender),
      sender: mqSender(sender),
      another: () => mqReceiver(receiver),
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'PosixQueue', mechanism, script };
