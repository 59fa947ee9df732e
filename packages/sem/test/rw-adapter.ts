import type {
  BadInputAdapter,
  LifecycleAdapter,
  LockAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { RwLock, type Guard } from '@octoipc/sem';

import { reapInTurn } from '../../core/test/reaping.js';
import { writerTurns } from './fixtures/things.mjs';
import { freshName, unlinkIfThere } from './objects.js';

const mechanism = ['SEM', 'SVSEM', 'FUTEX'];
const script = new URL('./fixtures/rw-roles.mjs', import.meta.url);
const NO_DESCRIPTORS = 'a lock is a mapping';
const ITSELF = 'a thread that would wait for itself is told EDEADLK at once';

export const waits: WaitableAdapter = {
  name: 'RwLock.writeLock()',
  mechanism,
  lacks: { tokens: 'one turn is like another', sync: ITSELF },
  open: writerTurns,
};

export const names: NamedObjectAdapter<RwLock> = {
  name: 'RwLock.open()',
  mechanism,
  script,
  lacks: { content: 'a lock has none' },
  freshName,
  open: (name, options) => RwLock.open(name, options),
  unlink: (name) => RwLock.unlink(name),
  list: () => RwLock.list().map(({ name }) => name),
  mode: (name) => RwLock.list().find((info) => info.name === name)?.mode ?? -1,
  reap: reapInTurn,
};

const held = (guard: Guard) => ({
  recovered: guard.recovered,
  release: () => guard[Symbol.dispose](),
});

export const lock: LockAdapter = {
  name: 'RwLock',
  mechanism,
  script,
  lacks: { sync: ITSELF },
  freshName,
  open(name) {
    const table = RwLock.open(name, { create: true });
    return {
      lock: (options) => table.writeLock(options).then(held),
      tryLock() {
        const guard = table.tryWriteLock();
        return guard === null ? null : held(guard);
      },
      withLock: (run) => table.withWriteLock(run),
      close: () => table.close(),
    };
  },
  remove: (name) => unlinkIfThere(RwLock, name),
};

export const resources: ResourcesAdapter = {
  dropped: 10_000,
  name: 'RwLock.open()',
  mechanism,
  script,
  lacks: { descriptors: NO_DESCRIPTORS },
  open() {
    const name = freshName();
    const table = RwLock.open(name, { temporary: true });
    const other = RwLock.open(name);
    const use = async (): Promise<void> => {
      const first = other.tryWriteLock();
      const second = table.writeLock();
      first?.unlock();
      (await second)[Symbol.dispose]();
    };
    return { handles: [other, table], use };
  },
  failures: {
    'a name that nobody has': () => RwLock.open(freshName()),
    'memory without a lock': () => RwLock.at(new SharedArrayBuffer(64), 0),
  },
};

const isWait = (milliseconds: number): boolean => milliseconds >= 0;

export const input: BadInputAdapter = {
  name: 'RwLock',
  mechanism,
  lacks: { data: 'a lock carries none' },
  open() {
    const name = freshName();
    const table = RwLock.open(name, { temporary: true });
    const memory = new SharedArrayBuffer(RwLock.byteLength);
    return {
      numbers: {
        'open({ mode })': (mode: never) =>
          RwLock.open(freshName(), { temporary: true, mode }).close(),
        'at()': (offset: never) => RwLock.at(memory, offset, { init: true }),
        'lock({ timeout })': {
          call: (timeout: never) => table.writeLock({ timeout }),
          accepts: isWait,
        },
        'lockSync({ timeout })': {
          call: (timeout: never) => table.writeLockSync({ timeout }),
          accepts: isWait,
        },
      },
      options: {
        'open()': (options: never) => RwLock.open(name, options),
        'at()': (options: never) => RwLock.at(memory, 0, options),
        'lock()': (options: never) => table.writeLock(options),
        'lockSync()': (options: never) => table.writeLockSync(options),
        'withLock()': (options: never) => table.withWriteLock(() => 1, options),
      },
      waits: {
        'lock()': (options: never) => table.writeLock(options),
        'withLock()': (options: never) => table.withWriteLock(() => 1, options),
      },
      names: {
        'open()': (value: never) => RwLock.open(value, { create: true }),
        'unlink()': (value: never) => RwLock.unlink(value),
        'reset()': (value: never) => RwLock.reset(value),
      },
      methods: [
        {
          of: table,
          names: [
            'readLock',
            'tryReadLock',
            'readLockSync',
            'writeLock',
            'tryWriteLock',
            'writeLockSync',
            'withReadLock',
            'withWriteLock',
            'owner',
            'readers',
            'waiters',
            'reset',
            'close',
          ],
        },
      ],
      state: () => table.owner,
      close: () => table.close(),
    };
  },
};

export const lifecycle: LifecycleAdapter = {
  name: 'RwLock',
  mechanism,
  script,
  lacks: { sync: ITSELF },
};
