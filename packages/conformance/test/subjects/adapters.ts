import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { frameReceiver, frameSender } from '@octoipc/core';

import type {
  BadInputAdapter,
  ByteStreamAdapter,
  CrashSafetyAdapter,
  IterationAdapter,
  LifecycleAdapter,
  LockAdapter,
  MessageChannelAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '../../src/index.js';
import { FifoReader, FifoWriter } from '../fixtures/fifo-end.mjs';
import { FileLock } from '../fixtures/file-lock.mjs';
import { NamedFile } from '../fixtures/named-file.mjs';
import { memoryChannel } from './memory-channel.js';
import { memoryStream } from './memory-stream.js';

const mechanism = 'MEMORY';
const script = new URL('../fixtures/roles.mjs', import.meta.url);

/** Where files and locks of these tests are; the other processes find it by the environment. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-conformance-'));
  mkdirSync(join(folder, 'names'));
  mkdirSync(join(folder, 'owners'));
  process.env['OCTOIPC_TEST_FOLDER'] = folder;
  return folder;
}

export const stream = {
  name: 'memoryStream()',
  mechanism,
  open: () => memoryStream(),
} satisfies ByteStreamAdapter;

export const channel = {
  name: 'memoryChannel()',
  mechanism,
  open: () => memoryChannel(),
} satisfies MessageChannelAdapter;

const byteOf = (chunk: Buffer | null | undefined): number | undefined => chunk?.[0];

export const waitable = {
  name: 'MemoryReader.read()',
  mechanism,
  open() {
    const { reader, writer } = memoryStream();
    return {
      handle: reader,
      wait: (options?: object) => reader.read({ ...options, maxBytes: 1 }).then(byteOf),
      tryTake: () => byteOf(reader.tryRead({ maxBytes: 1 })),
      waitSync: (options?: object) => byteOf(reader.readSync({ ...options, maxBytes: 1 })),
      give: (token: number) => writer.write(Uint8Array.of(token)),
      close() {
        reader.close();
        writer.close();
      },
    };
  },
} satisfies WaitableAdapter;

export const iteration = {
  name: 'MemoryReader',
  mechanism,
  open() {
    const { reader, writer } = memoryStream();
    return {
      iterate: (): AsyncIterator<Buffer> => reader[Symbol.asyncIterator](),
      handle: reader,
      give: (token: number) => writer.write(Uint8Array.of(token)),
      token: (chunk: Buffer) => chunk[0],
      close() {
        reader.close();
        writer.close();
      },
    };
  },
} satisfies IterationAdapter;

export const resources = {
  name: 'memoryStream()',
  mechanism,
  script,
  open() {
    const { reader, writer } = memoryStream();
    const use = async (): Promise<void> => {
      const read = reader.read();
      await writer.write('x');
      await read;
    };
    return { handles: [reader, writer], use };
  },
  failures: { 'a file that does not exist': () => openSync('/nonexistent', 'r') },
} satisfies ResourcesAdapter;

const isTime = (value: number): boolean => value >= 0;
const isLength = (value: number): boolean => Number.isSafeInteger(value) && value > 0;

export const input = {
  name: 'memoryStream()',
  mechanism,
  open() {
    const { reader, writer } = memoryStream();
    void writer.write('there is something to read');
    return {
      numbers: {
        'read({ maxBytes })': {
          call: (maxBytes: never) => reader.read({ maxBytes }),
          accepts: isLength,
        },
        'read({ timeout })': {
          call: (timeout: never) => reader.read({ timeout }),
          accepts: isTime,
        },
      },
      options: { 'read()': (options: never) => reader.read(options) },
      waits: { 'write()': (options: never) => writer.write('x', options) },
      data: { 'write()': (data: never) => writer.write(data) },
      names: { 'NamedFile.open()': (name: never) => NamedFile.open(name) },
      methods: [
        { of: reader, names: ['read', 'tryRead', 'close', 'fd'] },
        { of: writer, names: ['write', 'tryWrite', Symbol.dispose] },
      ],
      state: () => reader.closed,
      close() {
        reader.close();
        writer.close();
      },
    };
  },
} satisfies BadInputAdapter;

export const named = {
  name: 'NamedFile.open()',
  mechanism,
  script,
  freshName: () => `/${randomUUID()}`,
  open: (name, options) => NamedFile.open(name, options),
  unlink: (name) => NamedFile.unlink(name),
  list: () => NamedFile.list(),
  mode: (name) => NamedFile.mode(name),
  mark: (file, value) => file.mark(value),
  marked: (file) => file.marked(),
  reap: () => NamedFile.reap(),
} satisfies NamedObjectAdapter<NamedFile>;

export const lock = {
  name: 'FileLock',
  mechanism,
  script,
  freshName: () => `/${randomUUID()}`,
  open: (name: string) => new FileLock(name),
  remove(name: string) {
    rmSync(join(process.env['OCTOIPC_TEST_FOLDER']!, `${name.slice(1)}.lock`), { force: true });
  },
} satisfies LockAdapter;

/** A child that has one end of a new FIFO as its descriptor 3, and the descriptor of the other end. */
function connect(args: string[], childEnd: 'read' | 'write') {
  const path = join(process.env['OCTOIPC_TEST_FOLDER']!, randomUUID());
  spawnSync('mkfifo', [path]);
  const [both, reader, writer] = (
    [constants.O_RDWR, constants.O_RDONLY, constants.O_WRONLY] as const
  ).map((flags) => openSync(path, flags | constants.O_NONBLOCK)) as [number, number, number];
  rmSync(path);
  closeSync(both);
  const [theirs, ours] = childEnd === 'read' ? [reader, writer] : [writer, reader];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe', theirs] });
  return { child, ours, theirs };
}

function connectAlone(args: string[], childEnd: 'read' | 'write') {
  const { child, ours, theirs } = connect(args, childEnd);
  closeSync(theirs);
  return { child, ours };
}

export const crashes = {
  name: 'FifoReader and FifoWriter',
  mechanism,
  script,
  lacks: { persistent: 'both ends are gone' },
  async startWriter(args: string[]) {
    const { child, ours } = connectAlone(args, 'write');
    return { child, reader: new FifoReader(ours) };
  },
  async startReader(args: string[]) {
    const { child, ours } = connectAlone(args, 'read');
    return { child, writer: new FifoWriter(ours) };
  },
  async startSender(args: string[]) {
    const { child, ours } = connectAlone(args, 'write');
    return { child, receiver: frameReceiver(new FifoReader(ours)) };
  },
  async startReceiver(args: string[]) {
    const { child, ours } = connectAlone(args, 'read');
    return { child, sender: frameSender(new FifoWriter(ours)) };
  },
} satisfies CrashSafetyAdapter;

/** The parent keeps the receiving end too, so messages outlive a receiver. */
export const persistentCrashes = {
  ...crashes,
  name: 'FifoReader that stays open',
  lacks: { bytes: 'tested already', end: 'the end stays open', brokenPipe: 'the end stays open' },
  async startReceiver(args: string[]) {
    const { child, ours, theirs } = connect(args, 'read');
    const receiver = frameReceiver(new FifoReader(theirs));
    return { child, sender: frameSender(new FifoWriter(ours)), another: () => receiver };
  },
} satisfies CrashSafetyAdapter;

export const lifecycle = { name: 'thing()', mechanism, script } satisfies LifecycleAdapter;
