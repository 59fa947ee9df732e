// @ts-check
import { c, node, onLibuv, onOneCore, uv } from '../programs.mjs';
import { imported } from '../imported.mjs';
import { sizeOf } from '../sizes.mjs';

const KIB = 1024;

/**
 * Messages that keep their boundaries, one send a message.
 *
 * @param {'seqpacket' | 'datagram'} kind
 * @param {'sync' | 'awaited'} exercise
 * @param {number} bytes
 * @returns {import('../compare.mjs').Row}
 */
const packets = (kind, exercise, bytes) => ({
  id: `${kind}-${exercise}-${bytes}`,
  title:
    exercise === 'sync'
      ? `${kind}, sendSync → receiveSync, ${sizeOf(bytes)}`
      : `${kind}, send → for await, ${sizeOf(bytes)}`,
  waiting: exercise === 'sync' ? 'sleep' : 'loop',
  kind: 'throughput',
  unit: 'messages',
  bytes,
  ours: node('socket', kind, exercise, bytes),
  against: [
    {
      name: 'C, one call a message',
      command: c('socket', kind, 'flow', bytes),
      target: exercise === 'sync' ? 0.75 : bytes <= KIB ? 1 : 0.6,
    },
  ],
});

/**
 * Streams of Node over the socket.
 *
 * @param {'stream' | 'tcp'} kind
 * @returns {import('../compare.mjs').Row}
 */
const duplex = (kind) => ({
  id: `${kind}-duplex`,
  title: `${kind === 'tcp' ? 'TCP' : 'Unix stream'}, toDuplex → toDuplex, 64 KiB`,
  waiting: 'loop',
  kind: 'throughput',
  unit: 'messages',
  bytes: 64 * KIB,
  ours: node('socket', kind, 'duplex', 64 * KIB),
  against: [
    {
      name: 'C send, recv',
      command: c('socket', kind, 'flow', 64 * KIB),
      target: 0.85,
    },
    { name: 'net', command: node('net', kind, 'stream', 64 * KIB), target: 1 },
  ],
});

/**
 * Round trips of 64 B, both processes on one core.
 *
 * @param {'stream' | 'seqpacket' | 'datagram' | 'tcp'} kind
 * @param {'roundtrip-sync' | 'roundtrip-awaited'} exercise
 * @returns {import('../compare.mjs').Row}
 */
const roundTrip = (kind, exercise) => {
  const awaited = exercise === 'roundtrip-awaited';
  const against = [
    {
      name: 'C, blocked in recv',
      command: c('socket', kind, 'roundtrip', 64),
      target: awaited ? 2.2 : 1.3,
    },
    ...(awaited
      ? [
          { name: 'C, epoll loop', command: c('socket', kind, 'epoll', 64) },
          onLibuv(uv(kind, 64), 1.3),
        ]
      : []),
    ...(awaited && (kind === 'stream' || kind === 'tcp')
      ? [{ name: 'net', command: node('net', kind, 'roundtrip', 64), target: 1 }]
      : []),
  ];
  return {
    id: `${kind}-${exercise}`,
    title: `${kind}, ${awaited ? 'awaited' : 'sync'}, 64 B there and back`,
    waiting: awaited ? 'loop' : 'sleep',
    kind: 'time',
    unit: 'trips',
    bytes: 64,
    ours: onOneCore(node('socket', kind, exercise, 64)),
    against: against.map(({ command, ...rest }) => ({ command: onOneCore(command), ...rest })),
  };
};

/**
 * @param {'stream' | 'datagram'} kind
 * @param {'bind' | 'listen'} exercise
 * @param {string} title
 * @param {string} name
 * @returns {import('../compare.mjs').Row}
 */
const opened = (kind, exercise, title, name) => ({
  id: exercise,
  title,
  waiting: '-',
  kind: 'time',
  unit: 'sockets',
  ours: node('socket', kind, exercise, 0),
  against: [{ name, command: c('socket', kind, exercise, 0), target: 2 }],
});

/** @returns {import('../compare.mjs').Row[]} */
export const rows = () => [
  ...[64, KIB, 4 * KIB, 64 * KIB].flatMap((bytes) =>
    /** @type {const} */ (['seqpacket', 'datagram']).flatMap((kind) => [
      packets(kind, 'sync', bytes),
      packets(kind, 'awaited', bytes),
    ]),
  ),
  {
    id: 'stream-frames',
    title: 'Unix stream, send → for await, 64 B',
    waiting: 'loop',
    kind: 'throughput',
    unit: 'messages',
    bytes: 64,
    ours: node('socket', 'stream', 'frames', 64),
    against: [
      { name: 'C, one call a message', command: c('socket', 'stream', 'frames', 64), target: 5 },
      { name: 'C, batched calls', command: c('socket', 'stream', 'batched', 64), target: 0.3 },
      { name: 'process.send, json', command: node('node', 'send-json', 64), target: 20 },
      { name: 'process.send, advanced', command: node('node', 'send-advanced', 64), target: 20 },
    ],
  },
  duplex('stream'),
  duplex('tcp'),
  .../** @type {const} */ (['stream', 'seqpacket', 'datagram', 'tcp']).flatMap((kind) => [
    roundTrip(kind, 'roundtrip-sync'),
    roundTrip(kind, 'roundtrip-awaited'),
  ]),
  {
    id: 'open',
    title: 'socketPair(), both closed',
    waiting: '-',
    kind: 'time',
    unit: 'pairs',
    ours: node('socket', 'stream', 'open', 0),
    against: [
      { name: 'C socketpair, close', command: c('socket', 'stream', 'open', 0), target: 2 },
    ],
  },
  opened('datagram', 'bind', '(await Datagram.bind()).close()', 'C socket … close'),
  opened('stream', 'listen', '(await listen({ path })).close()', 'C socket … unlink'),
  imported('@octoipc/socket'),
];
