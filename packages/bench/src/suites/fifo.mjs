// @ts-check
// The C programs are those of the pipe suite, on FIFOs in the same folder.
import { c, node, onOneCore } from '../programs.mjs';

const KIB = 1024;

/** @param {number} bytes @returns {import('../compare.mjs').Row} */
const sync = (bytes) => ({
  id: `sync-${bytes}`,
  title: `writeSync → readSync, ${bytes} B`,
  waiting: 'sleep',
  kind: 'throughput',
  unit: 'messages',
  bytes,
  ours: node('fifo', 'sync', bytes),
  against: [
    {
      name: 'C write, read',
      command: c('pipe', 'flow', bytes, 0, 'fifo'),
      target: bytes >= 4 * KIB ? 0.9 : 0.65,
    },
  ],
});

/** @param {'iterate' | 'streams'} exercise @param {string} title @returns {import('../compare.mjs').Row} */
const awaited = (exercise, title) => ({
  id: exercise,
  title: `${title}, 64 KiB`,
  waiting: 'loop',
  kind: 'throughput',
  unit: 'messages',
  bytes: 64 * KIB,
  ours: node('fifo', exercise, 64 * KIB),
  against: [
    { name: 'C write, read', command: c('pipe', 'flow', 64 * KIB, 0, 'fifo'), target: 0.8 },
    { name: 'fs streams, on a pipe', command: node('node', 'fs-streams', 64 * KIB), target: 1.5 },
  ],
});

/**
 * @param {string} exercise
 * @param {string} title
 * @param {'sleep' | 'loop'} waiting
 * @param {number} target
 * @returns {import('../compare.mjs').Row}
 */
const roundTrip = (exercise, title, waiting, target) => ({
  id: exercise,
  title: `${title}, 64 B there and back`,
  waiting,
  kind: 'time',
  unit: 'trips',
  ours: onOneCore(node('fifo', exercise, 64)),
  against: [
    {
      name: 'C, blocked in read',
      command: onOneCore(c('pipe', 'roundtrip', 64, 0, 'fifo')),
      target,
    },
  ],
});

export const rows = () => [
  ...[64, KIB, 4 * KIB, 64 * KIB].map(sync),
  awaited('iterate', 'write → for await'),
  awaited('streams', 'toWritable → toReadable'),
  roundTrip('roundtrip-sync', 'writeSync, readSync', 'sleep', 1.3),
  roundTrip('roundtrip-awaited', 'await write, read', 'loop', 2.2),
  /** @type {import('../compare.mjs').Row} */
  ({
    id: 'open',
    title: 'openReaderSync().close()',
    waiting: '-',
    kind: 'time',
    unit: 'FIFOs',
    ours: node('fifo', 'open', 0),
    against: [{ name: 'C open, close', command: c('pipe', 'fifo', 0, 0), target: 2 }],
  }),
];
