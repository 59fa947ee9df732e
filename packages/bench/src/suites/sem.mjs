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
 * Both processes on one core.
 *
 * @param {string} id
 * @param {string} title
 * @param {'sleep' | 'loop'} waiting
 * @param {string} theirs
 * @param {number} [target]
 * @param {readonly import('../compare.mjs').Against[]} more
 * @returns {import('../compare.mjs').Row}
 */
const between = (id, title, waiting, theirs, target, more = []) => ({
  id,
  title,
  waiting,
  kind: 'time',
  unit: 'trips',
  ours: onOneCore(node('sem', id)),
  against: [
    {
      name: 'C, blocked',
      command: onOneCore(c('sem', theirs)),
      ...(target === undefined ? {} : { target }),
    },
    ...more,
  ],
});

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
  between('handoff-sync', 'contended lock, sync', 'sleep', 'handoff', 1.3),
  between('handoff', 'contended lock, awaited', 'loop', 'handoff'),
  between('posix-sync', 'POSIX, sync, there and back', 'sleep', 'posix', 1.3),
  between('posix', 'POSIX, awaited, there and back', 'loop', 'posix', 4.5),
  between('sysv-sync', 'System V, sync, there and back', 'sleep', 'sysv', 1.3),
  between('sysv', 'System V, awaited, there and back', 'loop', 'sysv', 4.5, [
    { name: 'C, a thread, eventfd', command: onOneCore(c('sem', 'sysv-thread')) },
  ]),
  alone('opensem', 'PosixSemaphore.open().close()', 2),
  alone('opensysv', 'SysvSemaphoreSet.open(key).close()', 2),
  alone('openlock', 'Mutex.open().close()', 2),
  imported('@octoipc/sem'),
];
