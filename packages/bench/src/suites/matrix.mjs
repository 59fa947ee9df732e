// @ts-check
// Every mechanism in every flavour at every size that it takes, one way, against C that does one call a
// message, over and over until it goes through where try does (a ring, over the same layout: else 64 published
// at a time).
import { c, node } from '../programs.mjs';
import { SIZES, sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * How each is called: by a function that tells at once and is called again, by one that blocks, awaited one
 * by one, many at a time, or where the bytes lie.
 *
 * @typedef {'try' | 'sync' | 'async' | 'batch' | 'zero copy'} Flavour
 */

/** @type {Record<Flavour, 'spin' | 'sleep' | 'loop'>} */
const WAITING = { try: 'spin', sync: 'sleep', async: 'loop', batch: 'loop', 'zero copy': 'sleep' };

/** @typedef {{ name: string, most: number, flavours: Partial<Record<Flavour, [exercise: string, inC: string]>>, ours(exercise: string, bytes: number): import('../programs.mjs').Command, theirs(exercise: string, bytes: number): import('../programs.mjs').Command }} Mechanism */

/** @type {Mechanism['flavours']} */
const STREAM = { try: ['try', 'spin'], sync: ['sync', 'flow'], async: ['iterate', 'flow'] };
/** @type {Mechanism['flavours']} */
const FRAMES = { ...STREAM, batch: ['many', 'frames'] };
/** @type {Mechanism['flavours']} */
const PACKETS = { try: ['try', 'spin'], sync: ['sync', 'flow'], async: ['awaited', 'flow'] };
/** @type {Mechanism['flavours']} */
const QUEUE = { ...PACKETS, batch: ['many', 'flow'] };

/** @param {'stream' | 'seqpacket' | 'datagram' | 'tcp'} kind @param {number} most @returns {Mechanism} */
const socket = (kind, most) => ({
  name: kind,
  most,
  flavours: kind === 'stream' ? { ...PACKETS, batch: ['frames', 'frames'] } : PACKETS,
  ours: (exercise, bytes) => node('socket', kind, exercise, bytes),
  theirs: (exercise, bytes) => c('socket', kind, exercise, bytes),
});

/** What the queues of a system that was not configured take. @param {'posix' | 'sysv'} kind @returns {Mechanism} */
const queue = (kind) => ({
  name: `mq ${kind}`,
  most: 8 * KIB,
  flavours: QUEUE,
  ours: (exercise, bytes) => node('mq', kind, exercise, bytes),
  theirs: (exercise, bytes) => c('mq', kind, exercise, bytes),
});

/** @param {number} bytes */
const room = (bytes) => (bytes >= 64 * KIB ? 4 * MIB : MIB);

/** @type {readonly Mechanism[]} */
const MECHANISMS = [
  {
    name: 'pipe',
    most: MIB,
    flavours: FRAMES,
    ours: (exercise, bytes) => node('pipe', exercise, bytes, 0),
    theirs: (exercise, bytes) => c('pipe', exercise, bytes, 0),
  },
  {
    name: 'fifo',
    most: MIB,
    flavours: FRAMES,
    ours: (exercise, bytes) => node('fifo', exercise, bytes),
    theirs: (exercise, bytes) => c('pipe', exercise, bytes, 0, 'fifo'),
  },
  queue('posix'),
  queue('sysv'),
  socket('stream', MIB),
  socket('seqpacket', 64 * KIB),
  socket('datagram', 64 * KIB),
  socket('tcp', MIB),
  {
    name: 'ring',
    most: MIB,
    flavours: {
      try: ['try', 'spin'],
      sync: ['sync', 'single'],
      async: ['awaited', 'single'],
      batch: ['many', 'flow'],
      'zero copy': ['zero-copy', 'flow'],
    },
    ours: (exercise, bytes) => node('ring', exercise, bytes, room(bytes)),
    theirs: (exercise, bytes) => c('ring', exercise, bytes, room(bytes)),
  },
];

export const rows = () =>
  MECHANISMS.flatMap(({ name, most, flavours, ours, theirs }) =>
    Object.entries(flavours).flatMap(([flavour, [exercise, inC]]) =>
      SIZES.filter((bytes) => bytes <= most).map(
        (bytes) =>
          /** @type {import('../compare.mjs').Row} */ ({
            id: `${name}-${flavour}-${bytes}`.replaceAll(' ', '-'),
            title: `${name}, ${flavour}, ${sizeOf(bytes)}`,
            waiting: WAITING[/** @type {Flavour} */ (flavour)],
            kind: 'throughput',
            unit: 'messages',
            bytes,
            rounds: 5,
            ours: ours(exercise, bytes),
            against: [{ name: `C, ${inC}`, command: theirs(inC, bytes) }],
          }),
      ),
    ),
  );
