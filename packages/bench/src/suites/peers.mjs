// @ts-check
// Packages of npm that do the same between two processes; those for locks and programs are in the suites
// sem and popen.
import { node, onOneCore } from '../programs.mjs';

const KIB = 1024;

/** A package, the target, and which of its sockets, if it has several. @typedef {[name: string, target: number, sockets?: string]} Peer */

/**
 * @param {string} id
 * @param {string} title
 * @param {import('../programs.mjs').Command} ours
 * @param {readonly Peer[]} peers
 * @returns {import('../compare.mjs').Row}
 */
const flow = (id, title, ours, peers) => ({
  id,
  title: `${title}, 64 B`,
  waiting: 'loop',
  kind: 'throughput',
  unit: 'messages',
  bytes: 64,
  ours,
  against: peers.map(([name, target]) => ({
    name,
    peer: name,
    target,
    command: node('peers', name, 'flow', 64),
  })),
});

/**
 * Round trips of 64 B, both processes on one core.
 *
 * @param {string} id
 * @param {string} title
 * @param {import('../programs.mjs').Command} ours
 * @param {readonly Peer[]} peers
 * @param {readonly import('../compare.mjs').Against[]} [others]
 * @returns {import('../compare.mjs').Row}
 */
const trips = (id, title, ours, peers, others = []) => ({
  id: `${id}-trips`,
  title: `${title}, awaited, 64 B there and back`,
  waiting: 'loop',
  kind: 'time',
  unit: 'trips',
  bytes: 64,
  ours: onOneCore(ours),
  against: [
    ...peers.map(([name, target, sockets = name]) => ({
      name: sockets,
      peer: name,
      target,
      command: onOneCore(node('peers', sockets, 'trips', 64)),
    })),
    ...others,
  ],
});

const ZEROMQ = [
  {
    name: 'zeromq, PAIR over ipc',
    peer: 'zeromq',
    command: onOneCore(node('zeromq', 'trips', 64)),
    target: 1,
  },
];

/**
 * @param {'open' | 'attach'} exercise
 * @param {string} title
 * @param {string} [lacking]
 * @returns {import('../compare.mjs').Row}
 */
const memory = (exercise, title, lacking) => ({
  id: `shm-${exercise}`,
  title: `${title}, 4 KiB`,
  waiting: '-',
  kind: 'time',
  unit: 'objects',
  ours: node('shm', exercise, 4096),
  against: [
    {
      name: 'shm-typed-array',
      peer: 'shm-typed-array',
      command: node('shm-peers', exercise, 4096),
      ...(lacking === undefined ? {} : { lacking }),
    },
  ],
});

export const rows = () => [
  flow('frames', 'Unix stream, send → for await', node('socket', 'stream', 'frames', 64), [
    ['node-ipc', 10],
  ]),
  flow('pipe-frames', 'pipe, send → for await', node('pipe', 'frames', 64, 0), [['node-ipc', 10]]),
  flow('seqpacket', 'seqpacket, send → for await', node('socket', 'seqpacket', 'awaited', 64), [
    ['node-unix-socket', 5],
  ]),
  flow('datagram', 'datagram, send → for await', node('socket', 'datagram', 'awaited', 64), [
    ['unix-dgram', 2],
    ['node-unix-socket', 5],
  ]),
  flow('sysv', 'System V, sendSync → receiveMany', node('mq', 'sysv', 'many', 64), [['svmq', 25]]),
  flow('posix', 'POSIX, sendSync → receiveMany', node('mq', 'posix', 'many', 64), [['svmq', 25]]),
  trips(
    'stream',
    'Unix stream',
    node('socket', 'stream', 'roundtrip-awaited', 64),
    [
      ['node-ipc', 1],
      ['node-unix-socket', 1],
    ],
    ZEROMQ,
  ),
  trips('seqpacket', 'seqpacket', node('socket', 'seqpacket', 'roundtrip-awaited', 64), [
    ['node-unix-socket', 1],
  ]),
  trips('datagram', 'datagram', node('socket', 'datagram', 'roundtrip-awaited', 64), [
    ['unix-dgram', 1],
    ['node-unix-socket', 1, 'node-unix-socket, datagram'],
  ]),
  trips('ring', 'ring', node('ring', 'trips-awaited', 64, 64 * KIB), [], ZEROMQ),
  trips('posix', 'POSIX queue', node('mq', 'posix', 'roundtrip-awaited', 64), [['svmq', 1]]),
  trips('sysv', 'System V queue', node('mq', 'sysv', 'roundtrip-awaited', 64), [['svmq', 0.5]]),
  memory('open', 'memfd, a store, close'),
  memory(
    'attach',
    'open, a load, close',
    'it keeps one address of a segment, for good: what a process attaches again it never detaches, until there is no memory (ENOMEM)',
  ),
];
