// @ts-check
// sem.mjs EXERCISE: what the sem suite measures, by @octoipc/sem.
import { Mutex, PosixSemaphore, SysvSemaphoreSet } from '@octoipc/sem';

import { spawnPeer } from './peer.mjs';
import { driveTrips, now, receiveTrips, serve, tripsAwaited, tripsSync } from './side.mjs';

const [exercise = '', role] = process.argv.slice(2);

/** The objects of the peer, who is told by its environment. */
const NAMES = 'OCTOIPC_BENCH_NAMES';
const names = (process.env[NAMES] ?? '').split(' ');
const fresh = (/** @type {string} */ suffix) => `/octoipc-bench-${process.pid}-${suffix}`;

/**
 * What is not to be collected, which would close it.
 *
 * @type {object[]}
 */
const kept = [];

/** @template {object} T @param {T} handle */
function keep(handle) {
  kept.push(handle);
  return handle;
}

/** @param {() => void} once */
const timed = (once) => (/** @type {number} */ count) => {
  const start = now();
  for (let n = 0; n < count; n++) once();
  return { ns: now() - start };
};

/** Exercises of one process. */
const alone = {
  permit() {
    const semaphore = keep(PosixSemaphore.open(fresh('permit'), { temporary: true, value: 1 }));
    return timed(() => {
      semaphore.tryAcquire();
      semaphore.release();
    });
  },
  lock() {
    const mutex = keep(Mutex.open(fresh('lock'), { temporary: true }));
    return timed(() => mutex.tryLock()?.unlock());
  },
  opensem() {
    const name = fresh('open');
    keep(PosixSemaphore.open(name, { temporary: true, value: 1 }));
    return timed(() => PosixSemaphore.open(name).close());
  },
  opensysv() {
    const key = 0x0c600000 | (process.pid & 0xfffff);
    keep(SysvSemaphoreSet.open(key, { create: true, temporary: true, count: 2 }));
    return timed(() => SysvSemaphoreSet.open(key).close());
  },
  openlock() {
    const name = fresh('open');
    keep(Mutex.open(name, { temporary: true }));
    return timed(() => Mutex.open(name).close());
  },
};

/**
 * @typedef {object} Pair - two things, one of which is given, the other waited for
 * @property {() => void} give
 * @property {() => void} takeSync
 * @property {() => Promise<unknown>} take
 */

/** @returns {Pair} */
function posixPair(/** @type {string} */ given, /** @type {string} */ taken) {
  const [out, back] = [given, taken].map((name) =>
    keep(PosixSemaphore.open(name, { create: true, temporary: role === undefined })),
  );
  if (out === undefined || back === undefined) throw new Error('no semaphores');
  return {
    give: () => out.release(),
    takeSync: () => void back.acquireSync(),
    take: () => back.acquire(),
  };
}

/** @returns {Pair} */
function sysvPair(/** @type {SysvSemaphoreSet} */ set, /** @type {number} */ given) {
  const give = [{ index: given, delta: 1 }];
  const take = [{ index: 1 - given, delta: -1 }];
  return {
    give: () => void set.tryOperate(give),
    takeSync: () => set.operateSync(take),
    take: () => set.operate(take),
  };
}

function pair() {
  if (exercise.startsWith('posix')) {
    if (role !== undefined) return posixPair(names[1] ?? '', names[0] ?? '');
    const made = [fresh('forth'), fresh('back')];
    process.env[NAMES] = made.join(' ');
    return posixPair(made[0] ?? '', made[1] ?? '');
  }
  if (role !== undefined) return sysvPair(keep(SysvSemaphoreSet.fromId(Number(names[0]))), 1);
  const set = keep(SysvSemaphoreSet.open('private', { temporary: true, count: 2 }));
  process.env[NAMES] = String(set.id);
  return sysvPair(set, 0);
}

function trips() {
  const { give, take, takeSync } = pair();
  const isSync = exercise.endsWith('sync');
  return {
    trip: isSync
      ? tripsSync(() => {
          give();
          takeSync();
        })
      : tripsAwaited(() => {
          give();
          return take();
        }),
    echo: async (/** @type {number} */ count) => {
      for (let n = 0; n < count; n++) {
        if (isSync) takeSync();
        else await take();
        give();
      }
    },
  };
}

async function drive() {
  const once = /** @type {Record<string, () => (count: number) => object>} */ (alone)[exercise];
  if (once !== undefined) return serve(once());
  const { trip } = trips();
  return driveTrips(spawnPeer(import.meta.filename, {}).child, trip);
}

if (role === 'peer') receiveTrips(trips().echo);
else await drive();
