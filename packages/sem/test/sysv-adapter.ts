import type {
  BadInputAdapter,
  LifecycleAdapter,
  LockAdapter,
  NamedObjectAdapter,
  ResourcesAdapter,
  WaitableAdapter,
} from '@octoipc/conformance';
import { SysvSemaphoreSet, type SysvOperation } from '@octoipc/sem';

import { reapInTurn } from '../../core/test/reaping.js';
import { setPermits } from './fixtures/things.mjs';
import { freshKey } from './objects.js';

const mechanism = 'SVSEM';
const script = new URL('./fixtures/sysv-roles.mjs', import.meta.url);

const TAKE: readonly SysvOperation[] = [{ index: 0, delta: -1, undo: true }];
const GIVE: readonly SysvOperation[] = [{ index: 0, delta: 1, undo: true }];

export const waits: WaitableAdapter = {
  name: 'SysvSemaphoreSet.operate()',
  mechanism,
  lacks: { tokens: 'one unit is like another' },
  open: setPermits,
};

/** The id and mode of what has this name. */
function statOf(name: string): { id: number; mode: number } {
  using set = SysvSemaphoreSet.open(Number(name));
  return set.stat();
}

export const names: NamedObjectAdapter<SysvSemaphoreSet> = {
  name: 'SysvSemaphoreSet.open()',
  mechanism,
  script,
  lacks: {
    posixNames: 'its names are numbers',
    unlinkedLives: 'it is removed at once, for everybody',
  },
  freshName: () => String(freshKey()),
  open: (name, options) => SysvSemaphoreSet.open(Number(name), options),
  unlink: (name) => SysvSemaphoreSet.remove(statOf(name).id),
  list: () => SysvSemaphoreSet.list().map(({ key }) => String(key)),
  mode: (name) => statOf(name).mode,
  mark: (set, value) => set.set(0, value),
  marked: (set) => set.get(0),
  reap: reapInTurn,
};

export const lock: LockAdapter = {
  name: 'SysvSemaphoreSet of one unit',
  mechanism,
  script,
  lacks: {
    recovery: 'SEM_UNDO gives the unit back and tells nobody: sysv.test.ts',
    withLock: 'operations are no locks',
  },
  freshName: () => String(freshKey()),
  open(name) {
    const set = SysvSemaphoreSet.open(Number(name), { create: true, values: [1] });
    const held = () => {
      let released = false;
      return {
        release() {
          if (!released) set.tryOperate(GIVE);
          released = true;
        },
      };
    };
    return {
      lock: (options) => set.operate(TAKE, options).then(held),
      tryLock: () => (set.tryOperate(TAKE) ? held() : null),
      lockSync(options) {
        set.operateSync(TAKE, options);
        return held();
      },
      close: () => set.close(),
    };
  },
  remove: (name) => SysvSemaphoreSet.remove(statOf(name).id),
};

export const resources: ResourcesAdapter = {
  name: 'SysvSemaphoreSet.open()',
  mechanism,
  script,
  lacks: { descriptors: 'System V sets have none' },
  open() {
    const set = SysvSemaphoreSet.open('private', { temporary: true });
    const other = SysvSemaphoreSet.fromId(set.id);
    const use = async (): Promise<void> => {
      const taken = set.operate([{ index: 0, delta: -1 }]);
      other.tryOperate([{ index: 0, delta: 1 }]);
      await taken;
    };
    return { handles: [other, set], use };
  },
  failures: {
    'a key that nobody has': () => SysvSemaphoreSet.open(freshKey()),
    'an id that does not exist': () => SysvSemaphoreSet.remove(0x7fff_ffff),
    'a path that does not exist': () => SysvSemaphoreSet.open({ path: '/nonexistent', project: 1 }),
  },
};

const isWait = (milliseconds: number): boolean => milliseconds >= 0;
const take = (part: object): never => [{ index: 0, delta: -1, ...part }] as never;

export const input: BadInputAdapter = {
  name: 'SysvSemaphoreSet',
  mechanism,
  lacks: { data: 'operations carry none', names: 'its names are numbers' },
  open() {
    const set = SysvSemaphoreSet.open('private', { temporary: true, values: [1] });
    return {
      numbers: {
        'open()': {
          call: (key: never) => SysvSemaphoreSet.open(key, { temporary: true }).close(),
          accepts: (value) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32,
        },
        'open({ mode })': (mode: never) =>
          SysvSemaphoreSet.open('private', { temporary: true, mode }).close(),
        'open({ count })': (count: never) =>
          SysvSemaphoreSet.open('private', { temporary: true, count }).close(),
        'open({ values })': (value: never) =>
          SysvSemaphoreSet.open('private', { temporary: true, values: [value] }).close(),
        'remove()': (id: never) => SysvSemaphoreSet.remove(id),
        'fromId()': (id: never) => SysvSemaphoreSet.fromId(id),
        'get()': (index: never) => set.get(index),
        'set()': (value: never) => set.set(0, value),
        'waiting()': (index: never) => set.waiting(index),
        'lastPid()': (index: never) => set.lastPid(index),
        'operate({ index })': {
          call: (index: never) => set.operate(take({ index })),
          accepts: (value) => value === 2 ** 31,
        },
        'operate({ delta })': {
          call: (delta: never) => set.operate(take({ delta })),
          accepts: (value) => Number.isInteger(value),
        },
        'operate({ timeout })': {
          call: (timeout: never) => set.operate(take({}), { timeout }),
          accepts: isWait,
        },
        'setStat({ mode })': (mode: never) => set.setStat({ mode }),
        'setStat({ uid })': {
          call: (uid: never) => set.setStat({ uid }),
          accepts: (value) => value === 2 ** 31,
        },
      },
      options: {
        'open()': (options: never) => SysvSemaphoreSet.open('private', options),
        'operate()': (options: never) => set.operate(take({}), options),
        'operateSync()': (options: never) => set.operateSync(take({}), options),
        'setStat()': (options: never) => set.setStat(options),
        'operate(operations)': (operations: never) => set.operate([operations]),
      },
      waits: { 'operate()': (options: never) => set.operate(take({}), options) },
      methods: [
        {
          of: set,
          names: [
            'operate',
            'tryOperate',
            'operateSync',
            'get',
            'set',
            'waiting',
            'lastPid',
            'stat',
            'setStat',
            'values',
            'id',
            'remove',
            'close',
          ],
        },
      ],
      state: () => set.values,
      close: () => set.close(),
    };
  },
};

export const lifecycle: LifecycleAdapter = { name: 'SysvSemaphoreSet', mechanism, script };
