import type {
  BadInputAdapter,
  LifecycleAdapter,
  LockAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { PosixSemaphore } from '@octoipc/sem';
import { afterAll } from 'vitest';

import { reapInTurn } from '../../core/test/reaping.js';
import { permits } from './fixtures/things.mjs';
import { freshName, unlinkIfThere } from './objects.js';

const mechanism = 'SEM';
const script = new URL('./fixtures/posix-roles.mjs', import.meta.url);
const NO_DESCRIPTORS = 'a semaphore is a mapping';

// Processes that the suite has killed leave their names to this.
afterAll(reapInTurn);

export const waits: WaitableAdapter = {
  name: 'PosixSemaphore.acquire()',
  mechanism,
  lacks: { tokens: 'one permit is like another' },
  open: permits,
};

export const names: NamedObjectAdapter<PosixSemaphore> = {
  name: 'PosixSemaphore.open()',
  mechanism,
  script,
  maxNameLength: 251,
  freshName,
  open: (name, options) => PosixSemaphore.open(name, options),
  unlink: (name) => PosixSemaphore.unlink(name),
  list: () => PosixSemaphore.list().map(({ name }) => name),
  mode: (name) => PosixSemaphore.list().find((info) => info.name === name)?.mode ?? -1,
  mark: (semaphore, value) => semaphore.release(value),
  marked: (semaphore) => semaphore.value,
  reap: reapInTurn,
};

export const lock: LockAdapter = {
  name: 'PosixSemaphore of one permit',
  mechanism,
  script,
  lacks: { recovery: 'a permit has no owner: sem_overview(7)' },
  freshName,
  open(name) {
    const semaphore = PosixSemaphore.open(name, { create: true, value: 1 });
    return {
      lock: (options) => semaphore.acquire(options),
      tryLock: () => semaphore.tryAcquire(),
      lockSync: (options) => semaphore.acquireSync(options),
      withLock: (run) => semaphore.withPermit(run),
      close: () => semaphore.close(),
    };
  },
  remove: (name) => unlinkIfThere(PosixSemaphore, name),
};

export const resources: ResourcesAdapter = {
  dropped: 10_000,
  name: 'PosixSemaphore.open()',
  mechanism,
  script,
  lacks: { descriptors: NO_DESCRIPTORS },
  open() {
    const name = freshName();
    const semaphore = PosixSemaphore.open(name, { temporary: true });
    const other = PosixSemaphore.open(name);
    const use = async (): Promise<void> => {
      const acquired = semaphore.acquire();
      other.release();
      await acquired;
    };
    return { handles: [other, semaphore], use };
  },
  failures: {
    'a name that nobody has': () => PosixSemaphore.open(freshName()),
    'a value that is too high': () => PosixSemaphore.open(freshName(), { value: 2 ** 31 }),
    'memory without a semaphore': () =>
      PosixSemaphore.at(new Uint8Array(new SharedArrayBuffer(64)).fill(0xff), 0),
  },
};

const isWait = (milliseconds: number): boolean => milliseconds >= 0;

export const input: BadInputAdapter = {
  name: 'PosixSemaphore',
  mechanism,
  lacks: { data: 'a permit carries none' },
  open() {
    const name = freshName();
    const semaphore = PosixSemaphore.open(name, { temporary: true, value: 1 });
    const memory = new SharedArrayBuffer(64);
    return {
      numbers: {
        'open({ value })': (value: never) =>
          PosixSemaphore.open(freshName(), { temporary: true, value }).close(),
        'open({ mode })': (mode: never) =>
          PosixSemaphore.open(freshName(), { temporary: true, mode }).close(),
        'at()': (offset: never) => PosixSemaphore.at(memory, offset, { init: true }),
        'at({ value })': (value: never) => PosixSemaphore.at(memory, 0, { init: true, value }),
        'release()': (count: never) => semaphore.release(count),
        'acquire({ timeout })': {
          call: (timeout: never) => semaphore.acquire({ timeout }),
          accepts: isWait,
        },
        'acquireSync({ timeout })': {
          call: (timeout: never) => semaphore.acquireSync({ timeout }),
          accepts: isWait,
        },
      },
      options: {
        'open()': (options: never) => PosixSemaphore.open(name, options),
        'at()': (options: never) => PosixSemaphore.at(memory, 0, options),
        'acquire()': (options: never) => semaphore.acquire(options),
        'acquireSync()': (options: never) => semaphore.acquireSync(options),
        'withPermit()': (options: never) => semaphore.withPermit(() => 1, options),
      },
      waits: {
        'acquire()': (options: never) => semaphore.acquire(options),
        'withPermit()': (options: never) => semaphore.withPermit(() => 1, options),
      },
      names: {
        'open()': (value: never) => PosixSemaphore.open(value, { create: true }),
        'unlink()': (value: never) => PosixSemaphore.unlink(value),
      },
      methods: [
        {
          of: semaphore,
          names: [
            'acquire',
            'tryAcquire',
            'acquireSync',
            'release',
            'withPermit',
            'value',
            'close',
          ],
        },
      ],
      state: () => semaphore.value,
      close: () => semaphore.close(),
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'PosixSemaphore', mechanism, script };
