// @ts-check
// The C programs are those of the pipe suite, on FIFOs in the same folder.
import { c, node, onLibuv, onOneCore, uv } from '../programs.mjs';
import { imported } from '../imported.mjs';
import { sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/** @param {number} bytes @returns {import('../compare.mjs').Row} */
const sync = (bytes) => ({
  id: `sync-${bytes}`,
  title: `writeSync → readSync, ${sizeOf(bytes)}`,
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
    {
      name: 'fs streams, on a FIFO',
      command: node('node', 'fs-streams-fifo', 64 * KIB),
      target: 1.5,
    },
  ],
});

/**
 * With a capacity of 1 MiB, against what Node gives children.
 *
 * @param {number} bytes
 * @returns {import('../compare.mjs').Row}
 */
const raised = (bytes) => ({
  id: `raised-${bytes}`,
  title: `writeSync → readSync, ${sizeOf(bytes)}, capacity 1 MiB`,
  waiting: 'sleep',
  kind: 'throughput',
  unit: 'messages',
  bytes,
  ours: node('fifo', 'sync', bytes, MIB),
  against: [
    { name: 'C write, read', command: c('pipe', 'flow', bytes, MIB, 'fifo'), target: 0.9 },
    { name: 'child_process stdio', command: node('node', 'stdio', bytes), target: 1 },
  ],
});

/**
 * Framed messages of 64 B.
 *
 * @param {'frames' | 'many'} exercise
 * @param {string} title
 * @returns {import('../compare.mjs').Row}
 */
const framed = (exercise, title) => ({
  id: exercise,
  title: `${title}, 64 B`,
  waiting: 'loop',
  kind: 'throughput',
  unit: 'messages',
  bytes: 64,
  ours: node('fifo', exercise, 64),
  against: [
    { name: 'C, one call a message', command: c('pipe', 'frames', 64, 0, 'fifo'), target: 5 },
    { name: 'C, batched calls', command: c('pipe', 'batched', 64, 0, 'fifo'), target: 0.3 },
    { name: 'process.send, json', command: node('node', 'send-json', 64), target: 20 },
    { name: 'process.send, advanced', command: node('node', 'send-advanced', 64), target: 20 },
    {
      name: 'node-ipc',
      peer: 'node-ipc',
      command: node('peers', 'node-ipc', 'flow', 64),
      target: 10,
    },
  ],
});

/**
 * @param {string} exercise
 * @param {string} title
 * @param {'sleep' | 'loop'} waiting
 * @param {number} target
 * @param {readonly import('../compare.mjs').Against[]} [others]
 * @returns {import('../compare.mjs').Row}
 */
const roundTrip = (exercise, title, waiting, target, others = []) => ({
  id: exercise,
  title: `${title}, 64 B there and back`,
  waiting,
  kind: 'time',
  unit: 'trips',
  bytes: 64,
  ours: onOneCore(node('fifo', exercise, 64)),
  against: [
    {
      name: 'C, blocked in read',
      command: onOneCore(c('pipe', 'roundtrip', 64, 0, 'fifo')),
      target,
    },
    ...others.map(({ command, ...rest }) => ({ command: onOneCore(command), ...rest })),
  ],
});

/** What else waits on a loop. @type {readonly import('../compare.mjs').Against[]} */
const onLoops = [
  { name: 'C, epoll loop', command: c('pipe', 'epoll', 64, 0, 'fifo') },
  onLibuv(uv('fifo', 64), 1.3),
  { name: 'process.send', command: node('node', 'roundtrip', 64), target: 1 },
  // The quickest of npm's, though on a socket.
  {
    name: 'node-unix-socket',
    peer: 'node-unix-socket',
    command: node('peers', 'node-unix-socket', 'trips', 64),
    target: 1,
  },
];

/**
 * One end, while the FIFO is there and, for a writer, somebody reads.
 *
 * @param {string} id
 * @param {string} title
 * @param {'fifo' | 'fifo-write'} exercise
 * @returns {import('../compare.mjs').Row}
 */
const open = (id, title, exercise) => ({
  id,
  title,
  waiting: '-',
  kind: 'time',
  unit: 'FIFOs',
  ours: node('fifo', id, 0),
  against: [{ name: 'C open, close', command: c('pipe', exercise, 0, 0), target: 2 }],
});

export const rows = () => [
  ...[64, KIB, 4 * KIB, 64 * KIB, MIB].map(sync),
  ...[64 * KIB, MIB].map(raised),
  awaited('iterate', 'write → for await'),
  awaited('streams', 'toWritable → toReadable'),
  framed('frames', 'send → for await'),
  framed('many', 'sendMany → receiveMany'),
  roundTrip('roundtrip-sync', 'writeSync, readSync', 'sleep', 1.3),
  roundTrip('roundtrip-awaited', 'await write, read', 'loop', 2.2, onLoops),
  open('open', 'openReaderSync().close()', 'fifo'),
  open('try-open-writer', 'tryOpenWriter().close()', 'fifo-write'),
  open('open-writer', '(await openWriter()).close()', 'fifo-write'),
  imported('@octoipc/fifo'),
];
