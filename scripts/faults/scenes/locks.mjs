// Semaphores and locks.
import { AFTERWARDS, later, PATIENT, same, scene, unique } from '../scene.mjs';

const OWN = { create: true, temporary: true };

export const LOCKS = {
  'sem POSIX': scene(async (scope) => {
    const { PosixSemaphore } = await import('@octoipc/sem');
    const semaphore = scope.add(PosixSemaphore.open(unique(), { ...OWN, value: 1 }));
    const permit = await semaphore.acquire(PATIENT);
    const next = later(semaphore.acquire(PATIENT));
    permit.release();
    (await next).release();
  }),
  'sem System V': scene(async (scope) => {
    const { SysvSemaphoreSet } = await import('@octoipc/sem');
    const set = scope.add(SysvSemaphoreSet.open('private', { ...OWN, count: 1, values: [0] }));
    const { id } = set;
    AFTERWARDS.push(() => SysvSemaphoreSet.remove(id));
    const operation = later(set.operate([{ index: 0, delta: -1, undo: true }], PATIENT));
    set.operateSync([{ index: 0, delta: 1, undo: true }]);
    await operation;
  }),
  'sem Mutex': scene(async (scope) => {
    const { Mutex } = await import('@octoipc/sem');
    const mutex = scope.add(Mutex.open(unique(), OWN));
    const guard = await mutex.lock(PATIENT);
    const next = later(mutex.lock(PATIENT));
    guard.unlock();
    (await next).unlock();
    mutex.lockSync(PATIENT).unlock();
  }),
  'sem RwLock': scene(async (scope) => {
    const { RwLock } = await import('@octoipc/sem');
    const lock = scope.add(RwLock.open(unique(), OWN));
    const readers = [await lock.readLock(PATIENT), await lock.readLock(PATIENT)];
    const writer = later(lock.writeLock(PATIENT));
    for (const reader of readers) reader.unlock();
    const held = await writer;
    const reader = later(lock.readLock(PATIENT));
    held.unlock();
    (await reader).unlock();
  }),
  'sem Condition': scene(async (scope) => {
    const { Condition, Mutex } = await import('@octoipc/sem');
    const mutex = scope.add(Mutex.open(unique(), OWN));
    const condition = scope.add(Condition.open(unique(), OWN));
    const waiting = later(condition.wait(await mutex.lock(PATIENT), PATIENT));
    const guard = await mutex.lock(PATIENT);
    same(condition.notify(), '1');
    guard.unlock();
    (await waiting).unlock();
  }),
  'sem Barrier': scene(async (scope) => {
    const { Barrier } = await import('@octoipc/sem');
    const barrier = scope.add(Barrier.open(unique(), { ...OWN, parties: 2 }));
    const first = later(barrier.arrive(PATIENT));
    same(await barrier.arrive(PATIENT), 'true');
    same(await first, 'false');
  }),
};
