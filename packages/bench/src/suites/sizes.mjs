// @ts-check
// Every mechanism beside every other, by the size of a message: what the charts of docs/benchmarks.md show.
// Ours is the ring; the ratios say how many times as much it moves, or how much of the time a round trip takes.
import { node, onOneCore } from '../programs.mjs';
import { SIZES, sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/** What takes messages of this size: the queues of a system that was not configured take 8 KiB. */
const takes = (/** @type {number} */ bytes, /** @type {number} */ most) => bytes <= most;

/** @param {number} bytes */
const others = (bytes) => [
  { name: 'pipe', command: node('pipe', 'sync', bytes, MIB) },
  { name: 'fifo', command: node('fifo', 'sync', bytes, MIB) },
  ...(takes(bytes, 8 * KIB)
    ? [
        { name: 'mq, POSIX', command: node('mq', 'posix', 'sync', bytes) },
        { name: 'mq, System V', command: node('mq', 'sysv', 'sync', bytes) },
      ]
    : []),
  { name: 'Unix stream', command: node('socket', 'stream', 'sync', bytes) },
  ...(takes(bytes, 64 * KIB)
    ? [
        { name: 'seqpacket', command: node('socket', 'seqpacket', 'sync', bytes) },
        { name: 'datagram', command: node('socket', 'datagram', 'sync', bytes) },
      ]
    : []),
  { name: 'TCP', command: node('socket', 'tcp', 'sync', bytes) },
  ...[
    { name: 'process.send, json', command: node('node', 'send-json', bytes) },
    { name: 'process.send, advanced', command: node('node', 'send-advanced', bytes) },
    { name: 'worker postMessage', command: node('worker', 'flow', bytes) },
  ].map((each) => ({ ...each, headline: bytes === 64 || bytes === 64 * KIB })),
];

/** @param {number} bytes */
const ringFor = (bytes) => (bytes >= 64 * KIB ? 4 * MIB : 64 * KIB);

/**
 * Round trips of messages, awaited.
 *
 * @param {number} bytes
 */
const otherTrips = (bytes) => [
  { name: 'pipe', command: node('pipe', 'roundtrip-messages', bytes, 0) },
  { name: 'fifo', command: node('fifo', 'roundtrip-messages', bytes) },
  ...(takes(bytes, 8 * KIB)
    ? [
        { name: 'mq, POSIX', command: node('mq', 'posix', 'roundtrip-awaited', bytes) },
        { name: 'mq, System V', command: node('mq', 'sysv', 'roundtrip-awaited', bytes) },
      ]
    : []),
  { name: 'Unix stream', command: node('socket', 'stream', 'roundtrip-messages', bytes) },
  ...(takes(bytes, 64 * KIB)
    ? [{ name: 'seqpacket', command: node('socket', 'seqpacket', 'roundtrip-awaited', bytes) }]
    : []),
  { name: 'TCP', command: node('socket', 'tcp', 'roundtrip-messages', bytes) },
  { name: 'process.send', command: node('node', 'roundtrip', bytes), headline: bytes === 64 },
  { name: 'worker postMessage', command: node('worker', 'trips', bytes) },
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
  ...SIZES.map(
    (bytes) =>
      /** @type {import('../compare.mjs').Row} */ ({
        id: `trips-${bytes}`,
        title: `ring, awaited, ${sizeOf(bytes)} there and back, on one core`,
        contestant: 'ring',
        waiting: 'loop',
        kind: 'time',
        unit: 'trips',
        bytes,
        rounds: 7,
        ours: onOneCore(node('ring', 'trips-awaited', bytes, ringFor(bytes))),
        against: otherTrips(bytes).map(({ command, ...rest }) => ({
          ...rest,
          command: onOneCore(command),
        })),
      }),
  ),
];
