// @ts-check
// Every mechanism there and back at every size that it takes, both processes on one core: by calls that block, beside
// C that blocks in the same, and awaited, beside C on a loop. And on two cores by calls that never wait, over and over until
// they go through, beside C that does the same. A batch of one message is what is awaited.
import { c, node, onLibuv, onOneCore, uv } from '../programs.mjs';
import { SIZES, sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Milliseconds of a sample, so that with small messages one in a thousand has happened. */
const LONG = 100;

/** @typedef {import('../programs.mjs').Command} Command */
/** @typedef {import('../compare.mjs').Against} Against */

/**
 * @typedef {object} Mechanism
 * @property {string} name
 * @property {number} most - bytes of a message
 * @property {(exercise: 'roundtrip-sync' | 'roundtrip-try' | 'roundtrip-awaited', bytes: number) => Command} ours
 * @property {(bytes: number) => Command} blocking - in C
 * @property {(bytes: number) => Command} spinning - in C
 * @property {(bytes: number) => Against} onLoop - in C
 */

/** @param {'pipe' | 'fifo'} kind @returns {Mechanism} */
const byteStream = (kind) => ({
  name: kind,
  most: MIB,
  ours: (exercise, bytes) => node(kind, exercise, bytes, 0),
  blocking: (bytes) => c('pipe', 'roundtrip', bytes, 0, ...(kind === 'fifo' ? ['fifo'] : [])),
  spinning: (bytes) => c('pipe', 'roundtrip-spin', bytes, 0, ...(kind === 'fifo' ? ['fifo'] : [])),
  onLoop: (bytes) => onLibuv(uv(kind, bytes)),
});

/** What the queues of a system that was not configured take. @param {'posix' | 'sysv'} kind @returns {Mechanism} */
const queue = (kind) => ({
  name: `mq ${kind}`,
  most: 8 * KIB,
  ours: (exercise, bytes) => node('mq', kind, exercise, bytes),
  blocking: (bytes) => c('mq', kind, 'roundtrip', bytes),
  spinning: (bytes) => c('mq', kind, 'roundtrip-spin', bytes),
  // A queue of System V has no descriptor that a loop could poll.
  onLoop: (bytes) =>
    kind === 'posix'
      ? onLibuv(uv('mq', bytes))
      : { name: 'C, a thread, eventfd', command: c('mq', kind, 'thread', bytes) },
});

/** @param {'stream' | 'seqpacket' | 'datagram' | 'tcp'} kind @returns {Mechanism} */
const socket = (kind) => ({
  name: kind,
  most: kind === 'stream' || kind === 'tcp' ? MIB : 64 * KIB,
  ours: (exercise, bytes) => node('socket', kind, exercise, bytes),
  blocking: (bytes) => c('socket', kind, 'roundtrip', bytes),
  spinning: (bytes) => c('socket', kind, 'roundtrip-spin', bytes),
  onLoop: (bytes) => onLibuv(uv(kind, bytes)),
});

/** @type {readonly Mechanism[]} */
const MECHANISMS = [
  byteStream('pipe'),
  byteStream('fifo'),
  queue('posix'),
  queue('sysv'),
  socket('stream'),
  socket('seqpacket'),
  socket('datagram'),
  socket('tcp'),
];

/**
 * @param {string} name
 * @param {'sync' | 'try' | 'awaited' | 'zero copy'} flavour
 * @param {'spin' | 'sleep' | 'loop'} waiting
 * @param {number} bytes
 * @param {Command} ours
 * @param {Against} other
 * @returns {import('../compare.mjs').Row}
 */
const trips = (name, flavour, waiting, bytes, ours, other) => {
  // Who spins needs a core.
  const placed = waiting === 'spin' ? (/** @type {Command} */ command) => command : onOneCore;
  return {
    id: `${name}-${flavour}-${bytes}`.replaceAll(' ', '-'),
    title: `${name}, ${flavour}, ${sizeOf(bytes)} there and back`,
    waiting,
    kind: 'time',
    unit: 'trips',
    bytes,
    milliseconds: LONG,
    rounds: 5,
    ours: placed(ours),
    against: [{ ...other, command: placed(other.command) }],
  };
};

/** Two messages fit in. @param {number} bytes */
const room = (bytes) => (bytes >= 64 * KIB ? 4 * MIB : 64 * KIB);

export const rows = () => [
  ...MECHANISMS.flatMap(({ name, most, ours, blocking, spinning, onLoop }) => {
    const sizes = SIZES.filter((bytes) => bytes <= most);
    return [
      ...sizes.map((bytes) =>
        trips(name, 'sync', 'sleep', bytes, ours('roundtrip-sync', bytes), {
          name: 'C, blocked in the same',
          command: blocking(bytes),
        }),
      ),
      ...sizes.map((bytes) =>
        trips(name, 'try', 'spin', bytes, ours('roundtrip-try', bytes), {
          name: 'C, spinning in the same',
          command: spinning(bytes),
        }),
      ),
      ...sizes.map((bytes) =>
        trips(name, 'awaited', 'loop', bytes, ours('roundtrip-awaited', bytes), onLoop(bytes)),
      ),
    ];
  }),
  ...SIZES.map((bytes) =>
    trips('ring', 'sync', 'spin', bytes, node('ring', 'trips-sync', bytes, room(bytes)), {
      name: 'C, spinning',
      command: c('ring', 'trips', bytes, room(bytes)),
    }),
  ),
  .../** @type {const} */ ([
    ['try', 'trips-try'],
    ['zero copy', 'trips-zero-copy'],
  ]).flatMap(([flavour, exercise]) =>
    SIZES.map((bytes) =>
      trips('ring', flavour, 'spin', bytes, node('ring', exercise, bytes, room(bytes)), {
        name: 'C, spinning',
        command: c('ring', 'trips', bytes, room(bytes)),
      }),
    ),
  ),
  ...SIZES.map((bytes) =>
    trips('ring', 'awaited', 'loop', bytes, node('ring', 'trips-awaited', bytes, room(bytes)), {
      name: 'C eventfd, epoll loop',
      command: c('ring', 'loop', bytes, room(bytes)),
    }),
  ),
];
