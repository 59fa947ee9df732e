import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type {
  ByteStreamAdapter,
  CrashSafetyAdapter,
  LifecycleAdapter,
  MessageChannelAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  Waitable,
  WaitableAdapter,
} from '@octoipc/conformance';
import {
  fifoReceiver,
  fifoSender,
  isFifo,
  mkfifo,
  openReader,
  openReaderSync,
  openWriter,
  unlink,
  type FifoReader,
  type FifoReceiverOptions,
  type FifoWriter,
  type OpenReaderOptions,
} from '@octoipc/fifo';

import { folder, freshPath } from './place.js';

const mechanism = 'FIFO';
const script = new URL('./fixtures/roles.mjs', import.meta.url);

/** Both ends of a FIFO, whose name is gone again. */
export async function both(
  options?: OpenReaderOptions,
): Promise<{ reader: FifoReader; writer: FifoWriter; close(): void }> {
  const path = freshPath();
  const reader = await openReader(path, { ...options, create: true });
  const writer = await openWriter(path);
  unlink(path);
  const close = (): void => {
    reader.close();
    writer.close();
  };
  return { reader, writer, close };
}

export const stream: ByteStreamAdapter = {
  name: 'openReader() and openWriter()',
  mechanism,
  open: () => both(),
};

export const lasting: ByteStreamAdapter = {
  name: 'openReader({ persistent: true }) and openWriter()',
  mechanism,
  lacks: { end: 'it outlives its writers', readAll: 'it outlives its writers' },
  open: () => both({ persistent: true }),
};

const channelOf = async (options: FifoReceiverOptions) => {
  const path = freshPath();
  const receiver = await fifoReceiver(path, { ...options, create: true });
  const sender = await fifoSender(path, options);
  unlink(path);
  return { sender, receiver };
};

export const channel: MessageChannelAdapter = {
  name: 'fifoSender() and fifoReceiver()',
  mechanism,
  lacks: { priorities: 'a FIFO keeps the order' },
  open: () => channelOf({ maxMessageSize: 100_000 }),
};

export const shared: MessageChannelAdapter = {
  name: 'fifoSender() and fifoReceiver() with multipleSenders',
  mechanism,
  lacks: { priorities: 'a FIFO keeps the order', end: 'it outlives its senders' },
  open: () => channelOf({ multipleSenders: true }),
};

const byteOf = (chunk: Buffer | null | undefined): unknown => chunk?.[0];

const readsWith = (options: OpenReaderOptions): WaitableAdapter['open'] =>
  async function open(): Promise<Waitable> {
    const { reader, writer, close } = await both(options);
    return {
      handle: reader,
      wait: (wait) => reader.read({ ...wait, maxBytes: 1 }).then(byteOf),
      tryTake: () => byteOf(reader.tryRead({ maxBytes: 1 })),
      waitSync: (wait) => byteOf(reader.readSync({ ...wait, maxBytes: 1 })),
      give: (token) => writer.write(Uint8Array.of(token)),
      close,
    };
  };

export const reads: WaitableAdapter = {
  name: 'FifoReader.read()',
  mechanism,
  open: readsWith({}),
};

export const lastingReads: WaitableAdapter = {
  name: 'FifoReader.read(), persistent',
  mechanism,
  open: readsWith({ persistent: true }),
};

export const names: NamedObjectAdapter<FifoReader> = {
  name: 'openReaderSync()',
  mechanism,
  script,
  lacks: {
    posixNames: 'its names are paths',
    content: 'it keeps nothing without a reader and a writer',
    temporary: 'a path has no owner but its file system',
  },
  freshName: freshPath,
  open: (name, { create, exclusive, mode } = {}) =>
    openReaderSync(name, { create, exclusive, mode }),
  unlink,
  list: () =>
    readdirSync(folder())
      .map((name) => join(folder(), name))
      .filter(isFifo),
  mode: (name) => statSync(name).mode & 0o7777,
};

export const resources: ResourcesAdapter = {
  name: 'openReader() and openWriter()',
  mechanism,
  script,
  async open() {
    const { reader, writer } = await both();
    const use = async (): Promise<void> => {
      const read = reader.read();
      await writer.write('x');
      await read;
    };
    return { handles: [reader, writer], use };
  },
  failures: {
    'a path that leads nowhere': () => openReader(freshPath()),
    'a directory': () => openReader(folder()),
    'a regular file': () => openWriter(process.execPath),
    'a name over the limit': () => mkfifo(join(folder(), 'x'.repeat(256))),
    'a FIFO of somebody else': () => openReader(freshPath(), { create: true, owner: 0xfffffffe }),
    'nobody who reads': () => openWriter(freshPath(), { create: true, timeout: 1 }),
    'nobody who writes': () =>
      openReader(freshPath(), { create: true, waitForWriter: true, timeout: 1 }),
  },
};

/** A peer, and the FIFO at whose other end it is. */
function start(args: string[]): { child: ChildProcess; path: string } {
  const path = freshPath();
  mkfifo(path);
  const env = { ...process.env, OCTOIPC_TEST_FIFO: path };
  return { child: spawn(process.execPath, args, { env }), path };
}

export const crashes: CrashSafetyAdapter = {
  name: 'openReader() and openWriter()',
  mechanism,
  script,
  lacks: { persistent: 'its bytes go with its ends' },
  async startWriter(args) {
    const { child, path } = start(args);
    return { child, reader: await openReader(path) };
  },
  async startReader(args) {
    const { child, path } = start(args);
    return { child, writer: await openWriter(path) };
  },
  async startSender(args) {
    const { child, path } = start(args);
    return { child, receiver: await fifoReceiver(path) };
  },
  async startReceiver(args) {
    const { child, path } = start(args);
    return { child, sender: await fifoSender(path) };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'FifoReader', mechanism, script };
