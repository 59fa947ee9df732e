import { spawn } from 'node:child_process';

import type {
  CrashSafetyAdapter,
  LifecycleAdapter,
  MessageChannelAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  Waitable,
  WaitableAdapter,
} from '@octoipc/conformance';
import { ftok, mqReceiver, mqSender, SysvQueue } from '@octoipc/mq';
import { afterAll } from 'vitest';

import { reapInTurn } from '../../core/test/reaping.js';
import { freshKey } from './queues.js';

export { input } from './sysv-input.js';

const mechanism = 'SVMSG';
const script = new URL('./fixtures/sysv-roles.mjs', import.meta.url);
const NO_DESCRIPTORS = 'System V queues have none';

// Processes that the suite has killed leave their queues to this.
afterAll(reapInTurn);

const temporary = (): SysvQueue => SysvQueue.open('private', { temporary: true });

/** Closes the queue, and whatever else is open of it. */
function closing(...queues: SysvQueue[]): () => void {
  return () => queues.forEach((queue) => queue.close());
}

export const channel: MessageChannelAdapter = {
  name: 'mqSender() and mqReceiver() of SysvQueue',
  mechanism,
  lacks: {
    end: 'a queue outlives its senders',
    brokenPipe: 'a queue outlives its receivers',
    priorities: 'System V messages have types instead',
  },
  open() {
    const queue = temporary();
    return { sender: mqSender(SysvQueue.fromId(queue.id)), receiver: mqReceiver(queue) };
  },
};

export const receives: WaitableAdapter = {
  name: 'SysvQueue.receive()',
  mechanism,
  open(): Waitable {
    const queue = temporary();
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

/** Messages without bytes, which the kernel's waits cannot but take: their types are the tokens. */
export const empties: WaitableAdapter = {
  name: 'SysvQueue.receive() of empty messages',
  mechanism,
  open(): Waitable {
    const queue = temporary();
    return {
      handle: queue,
      wait: (options) => queue.receive(options).then(({ type }) => type - 1),
      tryTake() {
        const message = queue.tryReceive();
        return message === undefined ? undefined : message.type - 1;
      },
      waitSync: (options) => queue.receiveSync(options).type - 1,
      give: (token) => queue.send('', { type: token + 1 }),
      close: () => queue.close(),
    };
  },
};

export const sends: WaitableAdapter = {
  name: 'SysvQueue.send()',
  mechanism,
  lacks: { tokens: 'room is not told apart' },
  open(): Waitable {
    const queue = temporary();
    const other = SysvQueue.fromId(queue.id);
    const message = Buffer.alloc(4096);
    while (queue.trySend(message));
    return {
      handle: queue,
      wait: (options) => queue.send(message, options),
      tryTake: () => queue.trySend(message) || undefined,
      waitSync: (options) => queue.sendSync(message, options),
      give: () => void other.receiveSync(),
      close: closing(queue, other),
    };
  },
};

/** The id and mode of what has this name. */
function statOf(name: string): { id: number; mode: number } {
  using queue = SysvQueue.open(Number(name));
  return queue.stat();
}

export const names: NamedObjectAdapter<SysvQueue> = {
  name: 'SysvQueue.open()',
  mechanism,
  script,
  lacks: {
    posixNames: 'its names are numbers',
    unlinkedLives: 'it is removed at once, for everybody',
  },
  freshName: () => String(freshKey()),
  open: (name, options) => SysvQueue.open(Number(name), options),
  unlink: (name) => SysvQueue.remove(statOf(name).id),
  list: () => SysvQueue.list().map(({ key }) => String(key)),
  mode: (name) => statOf(name).mode,
  mark: (queue, value) => queue.sendSync(Uint8Array.of(value)),
  marked: (queue) => queue.receiveSync({ timeout: 0 }).data[0] ?? 0,
  reap: reapInTurn,
};

export const resources: ResourcesAdapter = {
  name: 'SysvQueue.open()',
  mechanism,
  script,
  lacks: { descriptors: NO_DESCRIPTORS },
  open() {
    const queue = temporary();
    const other = SysvQueue.fromId(queue.id);
    const use = async (): Promise<void> => {
      const received = queue.receive();
      await other.send('x');
      await received;
    };
    return { handles: [other, queue], use };
  },
  failures: {
    'a key that nobody has': () => SysvQueue.open(freshKey()),
    'an id that does not exist': () => SysvQueue.remove(0x7fff_ffff),
    'a path that does not exist': () => ftok('/nonexistent', 1),
  },
};

const start = (args: string[], { id }: SysvQueue) =>
  spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, OCTOIPC_TEST_QUEUE: String(id) },
  });

export const crashes: CrashSafetyAdapter = {
  name: 'SysvQueue',
  mechanism,
  script,
  lacks: {
    bytes: 'a queue has messages',
    end: 'a queue outlives its senders',
    brokenPipe: 'a queue outlives its receivers',
  },
  async startSender(args) {
    const queue = temporary();
    return { child: start(args, queue), receiver: mqReceiver(queue) };
  },
  async startReceiver(args) {
    const queue = temporary();
    return {
      child: start(args, queue),
      sender: mqSender(queue),
      another: () => mqReceiver(SysvQueue.fromId(queue.id)),
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'SysvQueue', mechanism, script };
