// @ts-check
// locks.mjs EXERCISE: what the sem suite measures of locks between processes, and of what is made of them, by
// @octoipc/sem.
import { Barrier, Condition, Mutex, RwLock } from '@octoipc/sem';
import { SharedMemory } from '@octoipc/shm';

import { spawnPeer } from './peer.mjs';
import { driveTrips, now, receiveTrips, serve, tripsAwaited, tripsSync } from './side.mjs';

const [exercise = '', role] = process.argv.slice(2);
const isSync = exercise.endsWith('-sync');

/** Where the peer finds what there is; its kinds do not share their names. */
const NAME = 'OCTOIPC_BENCH_NAME';
const name = process.env[NAME] ?? `/octoipc-bench-${process.pid}`;
const made = role === undefined ? { temporary: true } : {};

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

/** Exercises of one process. @type {Record<string, () => () => void>} */
const alone = {
  'rwlock-read': () => {
    const lock = keep(RwLock.open(name, made));
    return () => lock.tryReadLock()?.unlock();
  },
  'rwlock-write': () => {
    const lock = keep(RwLock.open(name, made));
    return () => lock.tryWriteLock()?.unlock();
  },
  'open-rwlock': () => {
    keep(RwLock.open(name, made));
    return () => RwLock.open(name).close();
  },
  'open-condition': () => {
    keep(Condition.open(name, made));
    return () => Condition.open(name).close();
  },
  'open-barrier': () => {
    keep(Barrier.open(name, { ...made, parties: 2 }));
    return () => Barrier.open(name).close();
  },
};

/** Three locks that are taken to have them alone. */
function threeLocks() {
  return [0, 1, 2].map((i) => {
    if (!exercise.startsWith('rwlock')) {
      const mutex = keep(Mutex.open(`${name}-${i}`, made));
      return { lock: () => mutex.lock(), lockSync: () => mutex.lockSync() };
    }
    const lock = keep(RwLock.open(`${name}-${i}`, made));
    return { lock: () => lock.writeLock(), lockSync: () => lock.writeLockSync() };
  });
}

/** Two who follow each other round three locks: each step is a lock that the other holds. */
function follower() {
  const locks = threeLocks();
  let at = role === undefined ? 0 : 1;
  let guard = locks[at]?.lockSync();
  return async (/** @type {number} */ steps) => {
    for (let n = 0; n < steps; n++) {
      at = (at + 1) % locks.length;
      const next = isSync ? locks[at]?.lockSync() : await locks[at]?.lock();
      guard?.unlock();
      guard = next;
    }
  };
}

/**
 * There and back.
 *
 * @typedef {object} Turns
 * @property {(times: Float64Array) => number | Promise<number>} trip
 * @property {(count: number) => void | Promise<void>} echo
 */

/** Each says whose turn it is, notifies, and waits for its own. @returns {Turns} */
function turns() {
  const mutex = keep(Mutex.open(name, made));
  const changed = keep(Condition.open(name, made));
  const size = 4096;
  const memory = keep(SharedMemory.open(name, role === undefined ? { ...made, size } : {}));
  const turn = memory.view(Int32Array);
  const pass = (/** @type {number} */ next) => {
    turn[0] = next;
    changed.notify();
  };
  if (isSync) {
    const awaitTurn = (/** @type {import('@octoipc/sem').Guard} */ guard, own = 0) => {
      while (turn[0] !== own) changed.waitSync(guard);
    };
    return {
      trip(times) {
        const guard = mutex.lockSync();
        const sum = tripsSync(() => {
          pass(1);
          awaitTurn(guard);
        })(times);
        guard.unlock();
        return sum;
      },
      echo(count) {
        const guard = mutex.lockSync();
        for (let n = 0; n < count; n++) {
          awaitTurn(guard, 1);
          pass(0);
        }
        guard.unlock();
      },
    };
  }
  const awaitTurn = async (/** @type {import('@octoipc/sem').Guard} */ guard, own = 0) => {
    while (turn[0] !== own) await changed.wait(guard);
  };
  return {
    async trip(times) {
      const guard = await mutex.lock();
      const sum = await tripsAwaited(() => {
        pass(1);
        return awaitTurn(guard);
      })(times);
      guard.unlock();
      return sum;
    },
    async echo(count) {
      const guard = await mutex.lock();
      for (let n = 0; n < count; n++) {
        await awaitTurn(guard, 1);
        pass(0);
      }
      guard.unlock();
    },
  };
}

/** Two that arrive, over and over. @returns {Turns} */
function arrivals() {
  const barrier = keep(Barrier.open(name, { ...made, parties: 2 }));
  if (isSync) {
    return {
      trip: tripsSync(() => void barrier.arriveSync()),
      echo: (count) => {
        for (let n = 0; n < count; n++) barrier.arriveSync();
      },
    };
  }
  return {
    trip: tripsAwaited(() => barrier.arrive()),
    echo: async (count) => {
      for (let n = 0; n < count; n++) await barrier.arrive();
    },
  };
}

const isHandOff = exercise.includes('handoff');
const turnsOf = exercise.startsWith('barrier') ? arrivals : turns;

async function drive() {
  const once = alone[exercise]?.();
  if (once !== undefined) {
    return serve((count) => {
      const start = now();
      for (let n = 0; n < count; n++) once();
      return { ns: now() - start };
    });
  }
  const follow = isHandOff ? follower() : undefined;
  const trip = isHandOff ? undefined : turnsOf().trip;
  process.env[NAME] = name;
  const { child } = spawnPeer(import.meta.filename, {});
  if (trip !== undefined) return driveTrips(child, trip);
  await new Promise((resolve) => child.once('message', resolve));
  return serve(async (count) => {
    // Both make as many steps; the count is rounded to whole rounds, so that each is where it began.
    const steps = Math.ceil(count / 3) * 3;
    child.send({ count: steps });
    const start = now();
    await follow?.(steps);
    return { ns: ((now() - start) * count) / steps };
  });
}

function answer() {
  if (!isHandOff) return receiveTrips(turnsOf().echo);
  const follow = follower();
  process.on('message', (/** @type {{ count?: number }} */ { count }) => {
    if (count !== undefined) void follow(count);
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

if (role === 'peer') answer();
else await drive();
