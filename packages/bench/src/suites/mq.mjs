// @ts-check
import { imported } from '../imported.mjs';
import { c, floor, hasNodeHeaders, node, onLibuv, onOneCore, uv } from '../programs.mjs';

const KINDS = /** @type {const} */ (['posix', 'sysv']);
const NAMES = { posix: 'POSIX', sysv: 'System V' };

/**
 * @param {'posix' | 'sysv'} kind
 * @param {string} exercise - ours
 * @param {string} title
 * @param {'sleep' | 'loop' | '-'} waiting
 * @param {number} bytes
 * @param {number} target
 * @returns {import('../compare.mjs').Row}
 */
const flow = (kind, exercise, title, waiting, bytes, target) => ({
  id: `${kind}-${exercise}-${bytes}`,
  title: `${NAMES[kind]}, ${title}, ${bytes} B`,
  waiting,
  kind: 'throughput',
  unit: 'messages',
  bytes,
  ours: node('mq', kind, exercise, bytes),
  against: [
    {
      name: 'C, one call a message',
      command: c('mq', kind, exercise === 'pair' ? 'pair' : 'flow', bytes),
      target,
      headline: exercise === 'sync' && bytes === 64,
    },
    ...bare(kind, exercise, bytes),
  ],
});

/**
 * What the same system calls take from JavaScript, without a library.
 *
 * @param {'posix' | 'sysv'} kind
 * @param {string} exercise
 * @param {number} bytes
 */
const bare = (kind, exercise, bytes) =>
  hasNodeHeaders && ['pair', 'sync', 'fresh', 'awaited'].includes(exercise)
    ? [{ name: 'bare Node-API, the same calls', command: floor(kind, exercise, bytes) }]
    : [];

/**
 * Round trips of 64 B, both processes on one core.
 *
 * @param {'posix' | 'sysv'} kind
 * @param {string} exercise
 * @param {string} title
 * @param {'sleep' | 'loop'} waiting
 * @param {number} target
 * @returns {import('../compare.mjs').Row}
 */
const roundTrip = (kind, exercise, title, waiting, target) => ({
  id: `${kind}-${exercise}`,
  title: `${NAMES[kind]}, ${title}, 64 B there and back`,
  waiting,
  kind: 'time',
  unit: 'trips',
  ours: onOneCore(node('mq', kind, exercise, 64)),
  against: [
    { name: 'C, blocked', command: onOneCore(c('mq', kind, 'roundtrip', 64)), target },
    ...(kind === 'posix' && waiting === 'loop' ? [onLibuv(onOneCore(uv('mq', 64)), 1.3)] : []),
    ...(kind === 'sysv' && waiting === 'loop'
      ? [{ name: 'C, a thread, eventfd', command: onOneCore(c('mq', kind, 'thread', 64)) }]
      : []),
  ],
});

/**
 * @param {'posix' | 'sysv'} kind
 * @param {string} title
 * @param {string} name
 * @returns {import('../compare.mjs').Row}
 */
const opened = (kind, title, name) => ({
  id: `${kind}-open`,
  title,
  waiting: '-',
  kind: 'time',
  unit: 'queues',
  ours: node('mq', kind, 'open', 64),
  against: [{ name, command: c('mq', kind, 'open', 64), target: 2 }],
});

export const rows = () => [
  ...KINDS.flatMap((kind) => {
    /** @param {number} bytes */
    const least = (bytes) => (kind === 'sysv' ? 0.8 : bytes < 4096 ? 0.65 : 0.9);
    return [
      ...[64, 4096].flatMap((bytes) => [
        flow(kind, 'pair', 'trySend + tryReceive({ into })', '-', bytes, least(bytes)),
        flow(kind, 'sync', 'sendSync → receiveSync({ into })', 'sleep', bytes, least(bytes)),
        flow(kind, 'fresh', 'sendSync → receiveSync', 'sleep', bytes, least(bytes)),
        flow(kind, 'many', 'sendSync → receiveMany', 'loop', bytes, least(bytes)),
      ]),
      flow(kind, 'sync', 'sendSync → receiveSync({ into })', 'sleep', 8192, least(8192)),
      flow(kind, 'many', 'sendSync → receiveMany', 'loop', 8192, least(8192)),
      flow(kind, 'iterate', 'sendSync → for await', 'loop', 64, kind === 'posix' ? 0.85 : 0.5),
      flow(kind, 'awaited', 'send → for await', 'loop', 64, kind === 'posix' ? 0.85 : 0.5),
      roundTrip(kind, 'roundtrip-sync', 'sync', 'sleep', 1.3),
      roundTrip(kind, 'roundtrip-awaited', 'awaited', 'loop', kind === 'posix' ? 2.2 : 4.5),
    ];
  }),
  opened('posix', 'PosixQueue.open(name).close()', 'C mq_open, mq_close'),
  opened('sysv', 'SysvQueue.open(key).close()', 'C msgget'),
  imported('@octoipc/mq'),
];
