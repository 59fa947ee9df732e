import type {
  BadInputAdapter,
  LifecycleAdapter,
  LockAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { Mutex, type Guard } from '@octoipc/sem';

import { reapInTurn } from '../../core/test/reaping.js';
import { mutexTurns } from './fixtures/things.mjs';
import { freshName, unlinkIfThere } from './objects.js';

const mechanism = ['SEM', 'SVSEM', 'FUTEX'];
const script = new URL('./fixtures/mutex-roles.mjs', import.meta.url);
const NO_DESCRIPTORS = 'a lock is a mapping';
const ITSELF = 'a thread that would wait for itself is told EDEADLK at once';

export const waits: WaitableAdapter = {
  name: 'Mutex.lock()',
  mechanism,
  lacks: { tokens: 'one turn is like another', sync: ITSELF },
  open: mutexTurns,
};

export const names: NamedObjectAdapter<Mutex> = {
  name: 'Mutex.open()',
  mechanism,
  script,
  lacks: { content: 'a lock has none' },
  freshName,
  open: (name, options) => Mutex.open(name, options),
  unlink: (name) => Mutex.unlink(name),
  list: () => Mutex.list().map(({ name }) => name),
  mode: (name) => Mutex.list().find((info) => info.name === name)?.mode ?? -1,
  reap: reapInTurn,
};

const held = (guard: Guard) => ({
  recovered: guard.recovered,
  release: () => guard[Symbol.dispose](),
});

export const lock: LockAdapter = {
  name: 'Mutex',
  mechanism,
  script,
  lacks: { sync: ITSELF },
  freshName,
  open(name) {
    const mutex = Mutex.open(name, { create: true });
    return {
      lock: (options) => mutex.lock(options).then(held),
      tryLock() {
        const guard = mutex.tryLock();
        return guard === null ? null : held(guard);
      },
      withLock: (run) => mutex.withLock(run),
      close: () => mutex.close(),
    };
  },
  remove: (name) => unlinkIfThere(Mutex, name),
};

export const resources: ResourcesAdapter = {
  name: 'Mutex.open()',
  mechanism,
  script,
  lacks: { descriptors: NO_DESCRIPTORS },
  open() {
    const name = freshName();
    const mutex = Mutex.open(name, { temporary: true });
    const other = Mutex.open(name);
    const use = async (): Promise<void> => {
      const first = other.tryLock();
      const second = mutex.lock();
      first?.unlock();
      (await second)[Symbol.dispose]();
    };
    return { handles: [other, mutex], use };
  },
  failures: {
    'a name that nobody has': () => Mutex.open(freshName()),
    'memory without a lock': () => Mutex.at(new SharedArrayBuffer(64), 0),
  },
};

const isWait = (milliseconds: number): boolean => milliseconds >= 0;

export const input: BadInputAdapter = {
  name: 'Mutex',
  mechanism,
  lacks: { data: 'a lock carries none' },
  open() {
    const name = freshName();
    const mutex = Mutex.open(name, { temporary: true });
    const memory = new SharedArrayBuffer(64);
    return {
      numbers: {
        'open({ mode })': (mode: never) =>
          Mutex.open(freshName(), { temporary: true, mode }).close(),
        'at()': (offset: never) => Mutex.at(memory, offset, { init: true }),
        'lock({ timeout })': { call: (timeout: never) => mutex.lock({ timeout }), accepts: isWait },
        'lockSync({ timeout })': {
          call: (timeout: never) => mutex.lockSync({ timeout }),
          accepts: isWait,
        },
      },
      options: {
        'open()': (options: never) => Mutex.open(name, options),
        'at()': (options: never) => Mutex.at(memory, 0, options),
        'lock()': (options: never) => mutex.lock(options),
        'lockSync()': (options: never) => mutex.lockSync(options),
        'withLock()': (options: never) => mutex.withLock(() => 1, options),
      },
      waits: {
        'lock()': (options: never) => mutex.lock(options),
        'withLock()': (options: never) => mutex.withLock(() => 1, options),
      },
      names: {
        'open()': (value: never) => Mutex.open(value, { create: true }),
        'unlink()': (value: never) => Mutex.unlink(value),
        'reset()': (value: never) => Mutex.reset(value),
      },
      methods: [
        {
          of: mutex,
          names: ['lock', 'tryLock', 'lockSync', 'withLock', 'owner', 'waiters', 'reset', 'close'],
        },
      ],
      state: () => mutex.owner,
      close: () => mutex.close(),
    };
  },
};

export const lifecycle: LifecycleAdapter = {
  name: 'Mutex',
  mechanism,
  script,
  lacks: { sync: ITSELF },
};
