// @ts-check
import { c, node, onOneCore } from '../programs.mjs';
import { imported } from '../imported.mjs';

/**
 * @param {string} id
 * @param {string} title
 * @param {number} target
 * @param {readonly import('../compare.mjs').Against[]} peers
 * @returns {import('../compare.mjs').Row}
 */
const alone = (id, title, target, peers = []) => ({
  id,
  title,
  waiting: '-',
  kind: 'time',
  unit: 'pairs',
  ours: node('sem', id),
  against: [{ name: `C, ${id}`, command: c('sem', id), target }, ...peers],
});

/**
 * Against a lock of POSIX threads that processes share, which is not told of the dead.
 *
 * @param {'rwlock-read' | 'rwlock-write'} id
 * @param {string} title
 * @returns {import('../compare.mjs').Row}
 */
const aloneInLock = (id, title) => ({
  id,
  title,
  waiting: '-',
  kind: 'time',
  unit: 'pairs',
  ours: node('locks', id),
  against: [{ name: 'C, pthread_rwlock_t', command: c('locks', id) }],
});

/** Bytes of what has slots, and of its name. */
const SLOTTED = 16_576;

/**
 * @param {'rwlock' | 'condition' | 'barrier'} kind
 * @param {string} name
 * @returns {import('../compare.mjs').Row}
 */
const opened = (kind, name) => ({
  id: `open-${kind}`,
  title: `${name}.open().close()`,
  waiting: '-',
  kind: 'time',
  unit: 'pairs',
  ours: node('locks', `open-${kind}`),
  against: [{ name: 'C open, mmap … close', command: c('shm', 'attach', SLOTTED), target: 2 }],
});

/**
 * Both processes on one core.
 *
 * @param {string} id
 * @param {string} title
 * @param {'sleep' | 'loop'} waiting
 * @param {import('../programs.mjs').Command} ours
 * @param {readonly import('../compare.mjs').Against[]} against
 * @returns {import('../compare.mjs').Row}
 */
const between = (id, title, waiting, ours, against) => ({
  id,
  title,
  waiting,
  kind: 'time',
  unit: 'trips',
  ours: onOneCore(ours),
  against: against.map((each) => ({ ...each, command: onOneCore(each.command) })),
});

/**
 * C that blocks.
 *
 * @param {string} exercise
 * @param {number} [target]
 */
const blocked = (exercise, target) => ({
  name: 'C, blocked',
  command: c('sem', exercise),
  ...(target === undefined ? {} : { target }),
});

/**
 * Semaphores, there and back.
 *
 * @param {'posix' | 'sysv'} kind
 * @param {string} name
 * @param {readonly import('../compare.mjs').Against[]} more - that wait on a loop
 */
const semaphores = (kind, name, more = []) => [
  between(`${kind}-sync`, `${name}, sync, there and back`, 'sleep', node('sem', `${kind}-sync`), [
    blocked(kind, 1.3),
  ]),
  between(kind, `${name}, awaited, there and back`, 'loop', node('sem', kind), [
    blocked(kind, 4.5),
    ...more,
  ]),
];

/**
 * What one process lets go, or tells, and the other has waited for.
 *
 * @param {string} id
 * @param {string} title
 * @param {import('../compare.mjs').Against} sync
 * @param {import('../compare.mjs').Against} awaited
 */
const handedOver = (id, title, sync, awaited = sync) => [
  between(`${id}-sync`, `${title}, sync`, 'sleep', node('locks', `${id}-sync`), [sync]),
  between(id, `${title}, awaited`, 'loop', node('locks', id), [awaited]),
];

export const rows = () => [
  alone('permit', 'tryAcquire + release, uncontended', 12, [
    {
      name: 'koffi: sem_wait, sem_post',
      peer: 'koffi',
      command: node('sem-peers', 'koffi'),
      target: 1,
    },
  ]),
  alone('lock', 'tryLock + unlock, uncontended', 12, [
    {
      name: 'proper-lockfile',
      peer: 'proper-lockfile',
      headline: true,
      command: node('sem-peers', 'proper-lockfile'),
      target: 0.001,
    },
  ]),
  aloneInLock('rwlock-read', 'RwLock, tryReadLock + unlock, uncontended'),
  aloneInLock('rwlock-write', 'RwLock, tryWriteLock + unlock, uncontended'),
  ...handedOver('handoff', 'contended lock', blocked('handoff', 1.3), blocked('handoff')),
  ...handedOver('rwlock-handoff', 'RwLock, contended writers', {
    name: 'C, pthread_rwlock_t',
    command: c('locks', 'rwlock-handoff'),
  }),
  ...handedOver('condition', 'Condition, notify and wait, there and back', {
    name: 'C, pthread_cond_t',
    command: c('locks', 'condition'),
  }),
  ...handedOver('barrier', 'Barrier, two arrive', {
    name: 'C, pthread_barrier_t',
    command: c('locks', 'barrier'),
  }),
  ...semaphores('posix', 'POSIX'),
  ...semaphores('sysv', 'System V', [
    { name: 'C, a thread, eventfd', command: c('sem', 'sysv-thread') },
  ]),
  alone('opensem', 'PosixSemaphore.open().close()', 2),
  alone('opensysv', 'SysvSemaphoreSet.open(key).close()', 2),
  alone('openlock', 'Mutex.open().close()', 2),
  opened('rwlock', 'RwLock'),
  opened('condition', 'Condition'),
  opened('barrier', 'Barrier'),
  imported('@octoipc/sem'),
];
