import { readdirSync } from 'node:fs';

import type { BadInputAdapter } from '@octoipc/conformance';
import {
  fifoReceiver,
  fifoSender,
  isFifo,
  mkfifo,
  openReader,
  openReaderSync,
  openWriter,
  openWriterSync,
  tryOpenWriter,
  unlink,
} from '@octoipc/fifo';

import { both } from './adapter.js';
import { folder, freshPath } from './place.js';

const isWait = (milliseconds: number): boolean => milliseconds >= 0;
const isUid = (uid: number): boolean => Number.isInteger(uid) && uid >= 0 && uid < 2 ** 32 - 1;

export const input: BadInputAdapter = {
  name: 'mkfifo(), openReader() and openWriter()',
  mechanism: 'FIFO',
  async open() {
    const { reader, writer, close } = await both();
    const path = freshPath();
    mkfifo(path);
    return {
      numbers: {
        'mkfifo({ mode })': (mode: never) => mkfifo(freshPath(), { mode }),
        'openReader({ mode })': (mode: never) => openReader(path, { create: true, mode }),
        'openReader({ owner })': {
          call: (owner: never) => openReader(path, { owner }),
          accepts: isUid,
        },
        'openReader({ timeout })': {
          call: (timeout: never) => openReader(path, { timeout }),
          accepts: isWait,
        },
        'openReaderSync({ timeout })': {
          call: (timeout: never) => openReaderSync(path, { timeout }),
          accepts: isWait,
        },
        'openWriter({ timeout })': {
          call: (timeout: never) => openWriter(path, { timeout }),
          accepts: isWait,
        },
        'openWriterSync({ timeout })': {
          call: (timeout: never) => openWriterSync(path, { timeout }),
          accepts: isWait,
        },
        'fifoReceiver({ maxMessageSize })': {
          call: (maxMessageSize: never) => fifoReceiver(path, { maxMessageSize }),
          accepts: (size) => size === 2 ** 31,
        },
        'fifoSender({ maxMessageSize })': {
          call: (maxMessageSize: never) => fifoSender(path, { maxMessageSize }),
          accepts: (size) => size === 2 ** 31,
        },
      },
      options: {
        'mkfifo()': (options: never) => mkfifo(freshPath(), options),
        'openReader()': (options: never) => openReader(path, options),
        'openReaderSync()': (options: never) => openReaderSync(path, options),
        'openWriter()': (options: never) => openWriter(path, options),
        'tryOpenWriter()': (options: never) => tryOpenWriter(path, options),
        'openWriterSync()': (options: never) => openWriterSync(path, options),
        'fifoSender()': (options: never) => fifoSender(path, options),
        'fifoReceiver()': (options: never) => fifoReceiver(path, options),
        'read()': (options: never) => reader.read(options),
        'write()': (options: never) => writer.write('x', options),
      },
      waits: {
        'openReader()': (options: never) => openReader(path, options),
        'openWriter()': (options: never) => openWriter(path, options),
      },
      data: { 'write()': (data: never) => writer.write(data) },
      names: {
        'mkfifo()': (name: never) => mkfifo(name),
        'isFifo()': (name: never) => isFifo(name),
        'unlink()': (name: never) => unlink(name),
        'openReader()': (name: never) => openReader(name, { create: true }),
        'openReaderSync()': (name: never) => openReaderSync(name, { create: true }),
        'openWriter()': (name: never) => openWriter(name, { create: true }),
        'tryOpenWriter()': (name: never) => tryOpenWriter(name, { create: true }),
        'openWriterSync()': (name: never) => openWriterSync(name, { create: true }),
        'fifoSender()': (name: never) => fifoSender(name, { create: true }),
        'fifoReceiver()': (name: never) => fifoReceiver(name, { create: true }),
      },
      methods: [
        { of: reader, names: ['read', 'tryRead', 'isReadable', 'ended', 'close'] },
        { of: writer, names: ['write', 'tryWrite', 'broken', 'close'] },
      ],
      state: () => [readdirSync(folder()), reader.available, reader.closed, writer.closed],
      close,
    };
  },
};
