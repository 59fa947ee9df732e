import type {
  BadInputAdapter,
  LifecycleAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { ftok, SysvSharedMemory } from '@octoipc/shm';
import { afterAll } from 'vitest';

import { reapInTurn } from '../../core/test/reaping.js';
import { waitableOf } from './fixtures/turnstile.mjs';
import { accepting, inputOfMemory } from './memory-input.js';
import { freshKey } from './memories.js';

const mechanism = 'SVSHM';
const script = new URL('./fixtures/sysv-roles.mjs', import.meta.url);

// Processes that the suite has killed leave their segments to this.
afterAll(reapInTurn);

const temporary = (): SysvSharedMemory =>
  SysvSharedMemory.open('private', { temporary: true, size: 64 });

export const waits: WaitableAdapter = {
  name: 'SysvSharedMemory.wait()',
  mechanism,
  lacks: { tokens: 'one count is like another' },
  open: () => waitableOf(temporary()),
};

/** The id and mode of what has this name. */
function statOf(name: string): { id: number; mode: number } {
  const found = SysvSharedMemory.list().find(({ key }) => key === Number(name));
  if (found === undefined) throw new Error(`there is no segment ${name}`);
  return found;
}

export const names: NamedObjectAdapter<SysvSharedMemory> = {
  name: 'SysvSharedMemory.open()',
  mechanism,
  script,
  lacks: { posixNames: 'its names are numbers' },
  freshName: () => String(freshKey()),
  open: (name, options) =>
    SysvSharedMemory.open(Number(name), options === undefined ? {} : { size: 64, ...options }),
  unlink(name) {
    using memory = SysvSharedMemory.open(Number(name));
    memory.remove();
  },
  list: () => SysvSharedMemory.list().map(({ key }) => String(key)),
  mode: (name) => statOf(name).mode,
  mark: (memory, value) => {
    memory.bytes[0] = value;
  },
  marked: (memory) => memory.bytes[0] ?? 0,
  reap: reapInTurn,
};

export const resources: ResourcesAdapter = {
  dropped: 10_000,
  name: 'SysvSharedMemory.open()',
  mechanism,
  script,
  lacks: { descriptors: 'System V memory has none' },
  open() {
    const memory = temporary();
    const other = SysvSharedMemory.fromId(memory.id);
    const use = async (): Promise<void> => {
      const wait = memory.wait(0, 0);
      other.bytes[0] = 1;
      other.notify(0);
      await wait;
    };
    return { handles: [other, memory], use };
  },
  failures: {
    'a key that nobody has': () => SysvSharedMemory.open(freshKey()),
    'an id that does not exist': () => SysvSharedMemory.fromId(0x7fff_ffff),
    'a path that does not exist': () => ftok('/nonexistent', 1),
  },
};

export const input: BadInputAdapter = {
  name: 'SysvSharedMemory',
  mechanism,
  lacks: { data: 'its data is its memory', names: 'its names are numbers' },
  open() {
    const memory = temporary();
    const create = (options: object): void =>
      SysvSharedMemory.open('private', { temporary: true, size: 64, ...options }).close();
    const { numbers, options, waits: waiting, methods } = inputOfMemory(memory);
    const isKey = (key: number): boolean => key === -1 || key === 2 ** 31;
    return {
      numbers: {
        ...numbers,
        'open(key)': { call: (key: never) => SysvSharedMemory.open(key), accepts: isKey },
        'open({ size })': { call: (size: never) => create({ size }), accepts: accepting },
        'open({ mode })': (mode: never) => create({ mode }),
        'fromId()': (id: never) => SysvSharedMemory.fromId(id),
        'remove()': (id: never) => SysvSharedMemory.remove(id),
        'setStat({ mode })': (mode: never) => memory.setStat({ mode }),
      },
      options: {
        ...options,
        'open()': (given: never) => SysvSharedMemory.open('private', given),
        'setStat()': (given: never) => memory.setStat(given),
      },
      waits: waiting,
      methods: [
        { of: memory, names: methods },
        { of: memory, names: ['id', 'stat', 'attachments', 'setStat', 'remove'] },
      ],
      state: () => [memory.byteLength, memory.attachments, memory.closed],
      close: () => memory.close(),
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'SysvSharedMemory', mechanism, script };
