// @ts-check
import { c, node, onLibuv, onOneCore, uv } from '../programs.mjs';
import { imported } from '../imported.mjs';
import { sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The sync flavour at the pipe's own capacity.
 *
 * @param {number} bytes
 * @returns {import('../compare.mjs').Row}
 */
const sync = (bytes) => ({
  id: `sync-${bytes}`,
  title: `writeSync → readSync, ${sizeOf(bytes)}`,
  waiting: 'sleep',
  kind: 'throughput',
  unit: 'messages',
  bytes,
  ours: node('pipe', 'sync', bytes, 0),
  against: [
    {
      name: 'C write, read',
      command: c('pipe', 'flow', bytes, 0),
      target: bytes >= 4 * KIB ? 0.9 : 0.65,
      headline: bytes === 64 || bytes === 64 * KIB,
    },
  ],
});

/**
 * The sync flavour with a capacity of 1 MiB, against what Node gives children.
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
  ours: node('pipe', 'sync', bytes, MIB),
  against: [
    { name: 'C write, read', command: c('pipe', 'flow', bytes, MIB), target: 0.9 },
    { name: 'child_process stdio', command: node('node', 'stdio', bytes), target: 1 },
  ],
});

/**
 * The awaited flavours at 64 KiB.
 *
 * @param {'iterate' | 'streams'} exercise
 * @param {string} title
 * @returns {import('../compare.mjs').Row}
 */
const awaited = (exercise, title) => ({
  id: exercise,
  title: `${title}, 64 KiB`,
  waiting: 'loop',
  kind: 'throughput',
  unit: 'messages',
  bytes: 64 * KIB,
  ours: node('pipe', exercise, 64 * KIB, 0),
  against: [
    { name: 'C write, read', command: c('pipe', 'flow', 64 * KIB, 0), target: 0.8 },
    { name: 'fs streams', command: node('node', 'fs-streams', 64 * KIB), target: 1.5 },
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
  ours: node('pipe', exercise, 64, 0),
  against: [
    { name: 'C, one call a message', command: c('pipe', 'frames', 64, 0), target: 5 },
    { name: 'C, batched calls', command: c('pipe', 'batched', 64, 0), target: 0.3 },
    {
      name: 'process.send, json',
      command: node('node', 'send-json', 64),
      target: 20,
      headline: true,
    },
    { name: 'process.send, advanced', command: node('node', 'send-advanced', 64), target: 20 },
  ],
});

/**
 * What is left of {@link framed} where JavaScript only cuts bytes into Buffers: its ratios are the most that any
 * receiver of Buffers can have here.
 *
 * @param {'frames' | 'many'} exercise
 * @param {string} title
 * @returns {import('../compare.mjs').Row}
 */
const framedFloor = (exercise, title) => ({
  id: `${exercise}-floor`,
  title: `${title}, 64 B`,
  waiting: 'loop',
  kind: 'throughput',
  unit: 'messages',
  bytes: 64,
  ours: node('pipe', `${exercise}-floor`, 64, 0),
  against: [
    { name: 'C, one call a message', command: c('pipe', 'frames', 64, 0) },
    { name: 'C, batched calls', command: c('pipe', 'batched', 64, 0) },
    { name: '@octoipc/pipe', command: node('pipe', exercise, 64, 0) },
  ],
});

/**
 * Round trips of 64 B, both processes on one core.
 *
 * @param {string} exercise
 * @param {string} title
 * @param {'sleep' | 'loop'} waiting
 * @param {import('../compare.mjs').Against[]} against
 * @returns {import('../compare.mjs').Row}
 */
const roundTrip = (exercise, title, waiting, against) => ({
  id: exercise,
  title: `${title}, 64 B there and back`,
  waiting,
  kind: 'time',
  unit: 'trips',
  ours: onOneCore(node('pipe', exercise, 64, 0)),
  against: against.map(({ command, ...rest }) => ({ command: onOneCore(command), ...rest })),
});

export const rows = () => {
  const blocking = c('pipe', 'roundtrip', 64, 0);
  const epoll = c('pipe', 'epoll', 64, 0);
  const onLoop = [
    { name: 'C, blocked in read', command: blocking, target: 2.2 },
    { name: 'C, epoll loop', command: epoll },
    onLibuv(uv('pipe', 64), 1.3),
    { name: 'process.send', command: node('node', 'roundtrip', 64), target: 1 },
  ];
  return [
    ...[64, KIB, 4 * KIB, 64 * KIB, MIB].map(sync),
    ...[64 * KIB, MIB].map(raised),
    awaited('iterate', 'write → for await'),
    awaited('streams', 'toWritable → toReadable'),
    framed('frames', 'send → for await'),
    framed('many', 'sendMany → receiveMany'),
    framedFloor('frames', 'floor: only Buffers cut and awaited'),
    framedFloor('many', 'floor: only Buffers cut'),
    roundTrip('roundtrip-sync', 'writeSync, readSync', 'sleep', [
      { name: 'C, blocked in read', command: blocking, target: 1.3 },
    ]),
    roundTrip('roundtrip-awaited', 'await write, read', 'loop', onLoop),
    roundTrip('roundtrip-messages', 'await send, receive', 'loop', onLoop),
    /** @type {import('../compare.mjs').Row} */
    ({
      id: 'open',
      title: 'createPipe().close()',
      waiting: '-',
      kind: 'time',
      unit: 'pipes',
      ours: node('pipe', 'open', 0, 0),
      against: [{ name: 'C pipe2, close', command: c('pipe', 'open', 0, 0), target: 2 }],
    }),
    imported('@octoipc/pipe'),
    imported('octoipc', 10),
  ];
};
