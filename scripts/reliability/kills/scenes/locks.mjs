// Semaphores and locks.
import { Barrier, Condition, Mutex, PosixSemaphore, RwLock, SysvSemaphoreSet } from '@octoipc/sem';
import { SharedMemory } from '@octoipc/shm';

import { lasting, removed, temporary, TIMEOUT } from '../scene.mjs';

/** Of a named lock's file, as docs/layout.md has it: what is behind the lock. */
const NAME_ROOM = 256;

/** What the last owner left is as it should be. */
function unlock(guard) {
  if (guard.recovered !== null) guard.markConsistent();
  guard.unlock();
}

const lockAndUnlock = (mutex) => unlock(mutex.lockSync({ timeout: TIMEOUT }));

function readAndWrite(lock) {
  unlock(lock.writeLockSync({ timeout: TIMEOUT }));
  unlock(lock.readLockSync({ timeout: TIMEOUT }));
}

function locksOut(own, again) {
  const guard = own.tryLock();
  // The victim has it at this moment.
  if (guard === null) return true;
  const other = again.tryLock();
  other?.unlock();
  unlock(guard);
  return other === null;
}

function writerLocksOut(own, again) {
  const guard = own.tryWriteLock();
  if (guard === null) return true;
  const other = again.tryReadLock();
  other?.unlock();
  unlock(guard);
  return other === null;
}

let around;

/** One waits, the other notifies. */
async function notifies(own, again) {
  around ??= Mutex.at(SharedMemory.memfd({ size: Mutex.byteLength }), 0, { init: true });
  const waiting = own.wait(await around.lock({ timeout: TIMEOUT }), { timeout: TIMEOUT });
  again.notifyAll();
  (await waiting).unlock();
  return true;
}

async function meet(own, again) {
  const first = own.arrive({ timeout: TIMEOUT });
  return (await again.arrive({ timeout: TIMEOUT })) !== (await first);
}

/** A lock by its name, temporary and lasting. */
function named(called, kind, { same, use, options }) {
  return {
    [`sem ${called}`]: temporary('sem', {
      open: ({ name }, more) => kind.open(name, { ...more, ...options }),
      unlink: ({ name }) => kind.unlink(name),
      same,
      use,
    }),
    [`sem ${called}, lasting`]: lasting('sem', {
      open: ({ name }) => kind.open(name, { create: true, ...options }),
      unlink: ({ name }) => removed(() => kind.unlink(name)),
      file: ({ name }) => `/dev/shm/${called.toLowerCase()}.${name.slice(1)}`,
      size: kind.byteLength + NAME_ROOM,
      use,
    }),
  };
}

export const LOCKS = {
  'sem POSIX': temporary('sem', {
    open: ({ name }, options) => PosixSemaphore.open(name, { value: 1, ...options }),
    unlink: ({ name }) => PosixSemaphore.unlink(name),
    same(own, again) {
      own.release(1 + Math.trunc(Math.random() * 1000));
      return own.value === again.value;
    },
  }),
  'sem System V': temporary('sem', {
    open: ({ key }, options) => SysvSemaphoreSet.open(key, { count: 1, values: [1], ...options }),
    unlink: ({ key }) => {
      const set = SysvSemaphoreSet.open(key);
      set.remove();
      set.close();
    },
    same: (own, again) => own.id === again.id,
  }),
  ...named('Mutex', Mutex, { same: locksOut, use: lockAndUnlock }),
  ...named('RwLock', RwLock, { same: writerLocksOut, use: readAndWrite }),
  ...named('Condition', Condition, { same: notifies, use: (condition) => condition.notify() }),
  ...named('Barrier', Barrier, {
    same: meet,
    use: ({ arrived }) => arrived,
    options: { parties: 2 },
  }),
};
