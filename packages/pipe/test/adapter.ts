import { closeSync, openSync } from 'node:fs';

import type {
  BadInputAdapter,
  ByteStreamAdapter,
  CrashSafetyAdapter,
  LifecycleAdapter,
  MessageChannelAdapter,
  ResourcesAdapter,
  Waitable,
  WaitableAdapter,
} from '@octoipc/conformance';
import {
  createPipe,
  PipeReader,
  pipeReceiver,
  pipeSender,
  PipeWriter,
  spawnWithPipes,
} from '@octoipc/pipe';

const mechanism = 'PIPE';
const script = new URL('./fixtures/roles.mjs', import.meta.url);
const PIPE_BUF = 4096;

export const stream: ByteStreamAdapter = {
  name: 'createPipe()',
  mechanism,
  open: () => createPipe(),
};

export const channel: MessageChannelAdapter = {
  name: 'pipeSender() and pipeReceiver()',
  mechanism,
  lacks: { priorities: 'a pipe keeps the order' },
  open() {
    const { reader, writer } = createPipe({ capacity: PIPE_BUF });
    const limits = { maxMessageSize: 100_000 };
    return { sender: pipeSender(writer, limits), receiver: pipeReceiver(reader, limits) };
  },
};

const byteOf = (chunk: Buffer | null | undefined): unknown => chunk?.[0];

export const reads: WaitableAdapter = {
  name: 'PipeReader.read()',
  mechanism,
  open(): Waitable {
    const pipe = createPipe();
    return {
      handle: pipe.reader,
      wait: (options) => pipe.reader.read({ ...options, maxBytes: 1 }).then(byteOf),
      tryTake: () => byteOf(pipe.reader.tryRead({ maxBytes: 1 })),
      waitSync: (options) => byteOf(pipe.reader.readSync({ ...options, maxBytes: 1 })),
      give: (token) => pipe.writer.write(Uint8Array.of(token)),
      close: () => pipe.close(),
    };
  },
};

export const writes: WaitableAdapter = {
  name: 'PipeWriter.write()',
  mechanism,
  lacks: { tokens: 'room is not told apart' },
  open(): Waitable {
    const pipe = createPipe({ capacity: 128 * PIPE_BUF });
    const page = Buffer.alloc(PIPE_BUF);
    while (pipe.writer.tryWrite(page) > 0);
    return {
      handle: pipe.writer,
      wait: (options) => pipe.writer.write(page, options),
      tryTake: () => pipe.writer.tryWrite(page) || undefined,
      waitSync: (options) => pipe.writer.writeSync(page, options),
      give: () => void pipe.reader.readSync({ maxBytes: PIPE_BUF }),
      close: () => pipe.close(),
    };
  },
};

export const resources: ResourcesAdapter = {
  name: 'createPipe()',
  mechanism,
  script,
  open() {
    const { reader, writer } = createPipe();
    const use = async (): Promise<void> => {
      const read = reader.read();
      await writer.write('x');
      await read;
    };
    return { handles: [reader, writer], use };
  },
  failures: {
    'a capacity over the limit': () => createPipe({ capacity: 2 ** 31 - 1 }),
    'a descriptor that is not open': () => PipeReader.fromFd(2 ** 31 - 1),
    'a descriptor that is no pipe': () => {
      const fd = openSync('/dev/null', 'w');
      try {
        PipeWriter.fromFd(fd);
      } finally {
        closeSync(fd);
      }
    },
    'a program that does not exist': async () => {
      const { child, pipes } = spawnWithPipes('/nonexistent', [], {
        pipes: { 3: 'read', 4: 'write' },
      });
      const error = await new Promise((resolve) => child.once('error', resolve));
      for (const pipe of Object.values(pipes)) pipe.close();
      throw error;
    },
  },
};

const isWait = (milliseconds: number): boolean => milliseconds >= 0;

export const input: BadInputAdapter = {
  name: 'createPipe()',
  mechanism,
  lacks: { names: 'a pipe has none' },
  open() {
    const pipe = createPipe();
    const { reader, writer } = pipe;
    writer.writeSync('there is something to read');
    return {
      numbers: {
        'createPipe({ capacity })': (capacity: never) => createPipe({ capacity }).close(),
        'PipeReader.fromFd()': (fd: never) => PipeReader.fromFd(fd),
        'PipeWriter.fromFd()': (fd: never) => PipeWriter.fromFd(fd),
        'read({ maxBytes })': {
          call: (maxBytes: never) => reader.read({ maxBytes, timeout: 0 }),
          accepts: (value) => Number.isSafeInteger(value) && value > 0,
        },
        'tryRead({ maxBytes })': {
          call: (maxBytes: never) => reader.tryRead({ maxBytes }),
          accepts: (value) => Number.isSafeInteger(value) && value > 0,
        },
        'read({ timeout })': {
          call: (timeout: never) => reader.read({ timeout }),
          accepts: isWait,
        },
        'readSync({ timeout })': {
          call: (timeout: never) => reader.readSync({ timeout }),
          accepts: isWait,
        },
        'write({ timeout })': {
          call: (timeout: never) => writer.write('x', { timeout }),
          accepts: isWait,
        },
        'reader.capacity': (capacity: never) => (reader.capacity = capacity),
        'writer.capacity': (capacity: never) => (writer.capacity = capacity),
      },
      options: {
        'createPipe()': (options: never) => createPipe(options),
        'read()': (options: never) => reader.read(options),
        'tryRead()': (options: never) => reader.tryRead(options),
        'readSync()': (options: never) => reader.readSync(options),
        'readAll()': (options: never) => reader.readAll(options),
        'write()': (options: never) => writer.write('x', options),
        'writeSync()': (options: never) => writer.writeSync('x', options),
        'writeAtomic()': (options: never) => writer.writeAtomic('x', options),
      },
      waits: {
        'read()': (options: never) => reader.read(options),
        'readAll()': (options: never) => reader.readAll(options),
        'write()': (options: never) => writer.write('x', options),
        'writeAtomic()': (options: never) => writer.writeAtomic('x', options),
      },
      data: {
        'write()': (data: never) => writer.write(data),
        'tryWrite()': (data: never) => writer.tryWrite(data),
        'writeSync()': (data: never) => writer.writeSync(data),
        'writeAtomic()': (data: never) => writer.writeAtomic(data),
      },
      methods: [
        {
          of: reader,
          names: ['read', 'tryRead', 'readSync', 'readAll', 'available', 'capacity', 'fd'],
        },
        {
          of: reader,
          names: ['close', 'closed', 'release', 'ref', 'unref', 'toReadable', 'toWeb'],
        },
        {
          of: writer,
          names: ['write', 'tryWrite', 'writeSync', 'writeAtomic', 'capacity', 'close'],
        },
      ],
      state: () => [reader.available, reader.capacity, reader.closed, writer.closed],
      close: () => pipe.close(),
    };
  },
};

const start = <E extends 'read' | 'write'>(args: string[], end: E) =>
  spawnWithPipes(process.execPath, args, { stdio: 'pipe', pipes: { 3: end } });

export const crashes: CrashSafetyAdapter = {
  name: 'spawnWithPipes()',
  mechanism,
  script,
  lacks: { persistent: 'a pipe goes with its ends' },
  async startWriter(args) {
    const { child, pipes } = start(args, 'write');
    return { child, reader: pipes[3] };
  },
  async startReader(args) {
    const { child, pipes } = start(args, 'read');
    return { child, writer: pipes[3] };
  },
  async startSender(args) {
    const { child, pipes } = start(args, 'write');
    return { child, receiver: pipeReceiver(pipes[3]) };
  },
  async startReceiver(args) {
    const { child, pipes } = start(args, 'read');
    return { child, sender: pipeSender(pipes[3]) };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'PipeReader', mechanism, script };
