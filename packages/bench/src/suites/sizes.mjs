// @ts-check
// Every mechanism beside every other, by the size of a message: what the charts of docs/benchmarks.md show.
// Ours is the ring; the ratios say how many times as much it moves.
import { node, onOneCore } from '../programs.mjs';
import { SIZES, sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/** What takes messages of this size: the queues of a system that was not configured take 8 KiB. */
const takes = (/** @type {number} */ bytes, /** @type {number} */ most) => bytes <= most;

/** @param {number} bytes */
const others = (bytes) => [
  { name: 'pipe', command: node('pipe', 'sync', bytes, MIB) },
  { name: 'fifo', command: node('fifo', 'sync', bytes) },
  ...(takes(bytes, 8 * KIB)
    ? [
        { name: 'mq, POSIX', command: node('mq', 'posix', 'sync', bytes) },
        { name: 'mq, System V', command: node('mq', 'sysv', 'sync', bytes) },
      ]
    : []),
  ...(takes(bytes, 64 * KIB)
    ? [{ name: 'seqpacket', command: node('socket', 'seqpacket', 'sync', bytes) }]
    : []),
  ...[
    { name: 'process.send, json', command: node('node', 'send-json', bytes) },
    { name: 'process.send, advanced', command: node('node', 'send-advanced', bytes) },
    { name: 'worker postMessage', command: node('worker', 'flow', bytes) },
  ].map((each) => ({ ...each, headline: bytes === 64 || bytes === 64 * KIB })),
];

export const rows = () => [
  ...SIZES.map(
    (bytes) =>
      /** @type {import('../compare.mjs').Row} */ ({
        id: `sizes-${bytes}`,
        title: `ring, ${sizeOf(bytes)}`,
        contestant: 'ring',
        waiting: 'sleep',
        kind: 'throughput',
        unit: 'messages',
        bytes,
        ours: node(
          'ring',
          bytes >= 4 * KIB ? 'zero-copy' : 'consume',
          bytes,
          bytes >= 64 * KIB ? 4 * MIB : MIB,
        ),
        against: others(bytes),
      }),
  ),
  /** @type {import('../compare.mjs').Row} */ ({
    id: 'trips-64',
    title: 'ring, awaited, 64 B there and back, on one core',
    contestant: 'ring',
    waiting: 'loop',
    kind: 'time',
    unit: 'trips',
    bytes: 64,
    ours: onOneCore(node('ring', 'trips-awaited', 64, 64 * KIB)),
    against: [
      { name: 'pipe', command: node('pipe', 'roundtrip-awaited', 64, 0) },
      { name: 'fifo', command: node('fifo', 'roundtrip-awaited', 64) },
      { name: 'mq, POSIX', command: node('mq', 'posix', 'roundtrip-awaited', 64) },
      { name: 'mq, System V', command: node('mq', 'sysv', 'roundtrip-awaited', 64) },
      { name: 'Unix stream', command: node('socket', 'stream', 'roundtrip-awaited', 64) },
      { name: 'seqpacket', command: node('socket', 'seqpacket', 'roundtrip-awaited', 64) },
      { name: 'TCP', command: node('socket', 'tcp', 'roundtrip-awaited', 64) },
      { name: 'process.send', command: node('node', 'roundtrip', 64), headline: true },
      { name: 'worker postMessage', command: node('worker', 'trips', 64) },
    ].map(({ command, ...rest }) => ({ ...rest, command: onOneCore(command) })),
  }),
];
