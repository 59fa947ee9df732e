import { closeSync, openSync, statSync } from 'node:fs';

import type {
  BadInputAdapter,
  LifecycleAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { SharedMemory } from '@octoipc/shm';

import { reapInTurn } from '../../core/test/reaping.js';
import { waitableOf } from './fixtures/turnstile.mjs';
import { accepting, inputOfMemory } from './memory-input.js';
import { freshName } from './memories.js';

const mechanism = ['SHM', 'MEMFD'];
const script = new URL('./fixtures/posix-roles.mjs', import.meta.url);

export const waits: WaitableAdapter = {
  name: 'SharedMemory.wait()',
  mechanism,
  lacks: { tokens: 'one count is like another' },
  open: () => waitableOf(SharedMemory.memfd({ size: 64 })),
};

export const names: NamedObjectAdapter<SharedMemory> = {
  name: 'SharedMemory.open()',
  mechanism,
  script,
  freshName,
  open: (name, options) =>
    SharedMemory.open(name, options === undefined ? {} : { size: 64, ...options }),
  unlink: (name) => SharedMemory.unlink(name),
  list: () => SharedMemory.list().map(({ name }) => name),
  mode: (name) => statSync(`/dev/shm${name}`).mode & 0o777,
  mark: (memory, value) => {
    memory.bytes[0] = value;
  },
  marked: (memory) => memory.bytes[0] ?? 0,
  reap: reapInTurn,
};

export const resources: ResourcesAdapter = {
  name: 'SharedMemory.open()',
  mechanism,
  script,
  open() {
    const name = freshName();
    const memory = SharedMemory.open(name, { exclusive: true, size: 64 });
    const other = SharedMemory.open(name);
    SharedMemory.unlink(name);
    const use = async (): Promise<void> => {
      const wait = memory.wait(0, 0);
      other.bytes[0] = 1;
      other.notify(0);
      await wait;
    };
    return { handles: [other, memory], use };
  },
  failures: {
    'a name that does not exist': () => SharedMemory.open('/octoipc-nowhere'),
    'a name that is taken': () => {
      const name = freshName();
      const memory = SharedMemory.open(name, { temporary: true, size: 64 });
      try {
        SharedMemory.open(name, { exclusive: true, temporary: true, size: 64 });
      } finally {
        memory.close();
      }
    },
    'more bytes than there are': () =>
      SharedMemory.open(freshName(), { temporary: true, size: 2 ** 32 - 4096, mode: -1 }),
    'a descriptor that cannot be mapped': () => {
      const fd = openSync('/dev/null', 'r');
      try {
        SharedMemory.fromFd(fd);
      } finally {
        closeSync(fd);
      }
    },
  },
};

export const input: BadInputAdapter = {
  name: 'SharedMemory',
  mechanism,
  lacks: { data: 'its data is its memory' },
  open() {
    const memory = SharedMemory.memfd({ size: 4096 });
    const create = (options: object): void =>
      SharedMemory.open(freshName(), { temporary: true, size: 64, ...options }).close();
    const { numbers, options, waits: waiting, methods } = inputOfMemory(memory);
    return {
      numbers: {
        ...numbers,
        'open({ size })': { call: (size: never) => create({ size }), accepts: accepting },
        'open({ mode })': (mode: never) => create({ mode }),
        'memfd({ size })': {
          call: (size: never) => SharedMemory.memfd({ size }),
          accepts: accepting,
        },
        'fromFd()': (fd: never) => SharedMemory.fromFd(fd),
        'resize()': { call: (size: never) => memory.resize(size), accepts: accepting },
      },
      options: {
        ...options,
        'open()': (given: never) => SharedMemory.open(freshName(), given),
        'memfd()': (given: never) => SharedMemory.memfd(given),
        'file()': (given: never) => SharedMemory.file('/octoipc-nowhere', given),
        'fromFd()': (given: never) => SharedMemory.fromFd(memory.fd, given),
      },
      waits: waiting,
      names: {
        'open()': (name: never) => SharedMemory.open(name, { create: true, size: 64 }).close(),
        'unlink()': (name: never) => SharedMemory.unlink(name),
        'file()': (path: never) => SharedMemory.file(path).close(),
      },
      methods: [
        { of: memory, names: methods },
        { of: memory, names: ['fd', 'seal', 'seals', 'resize'] },
      ],
      state: () => [memory.byteLength, memory.seals, memory.closed],
      close: () => memory.close(),
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'SharedMemory', mechanism, script };
