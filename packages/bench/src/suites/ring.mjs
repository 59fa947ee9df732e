// @ts-check
import { c, node, onOneCore } from '../programs.mjs';
import { sizeOf } from '../sizes.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Two messages fit in. @param {number} bytes */
const capacityFor = (bytes) => (bytes >= 64 * KIB ? 4 * MIB : MIB);

/** What the C program does that is compared, by ours: it publishes as many messages at a time. */
const IN_C = /** @type {Record<string, string>} */ ({ awaited: 'single', 'zero-copy': 'one' });

/**
 * @param {string} exercise - ours
 * @param {string} title
 * @param {'sleep' | 'loop'} waiting - of the receiver
 * @param {number} bytes
 * @param {number} target
 * @param {readonly import('../compare.mjs').Against[]} more
 * @returns {import('../compare.mjs').Row}
 */
const flow = (exercise, title, waiting, bytes, target, more = []) => ({
  id: `${exercise}-${bytes}`,
  title: `${title}, ${sizeOf(bytes)}`,
  waiting,
  kind: 'throughput',
  unit: 'messages',
  bytes,
  ours: node('ring', exercise, bytes, capacityFor(bytes)),
  against: [
    {
      name: 'C, same layout',
      command: c('ring', IN_C[exercise] ?? 'flow', bytes, capacityFor(bytes)),
      target,
      headline: exercise === 'consume' || bytes === 64 * KIB,
    },
    ...more,
  ],
});

/** @param {number} bytes */
const ofNode = (bytes, json = 0, advanced = 0, post = 0) =>
  [
    { name: 'process.send, json', command: node('node', 'send-json', bytes), target: json },
    {
      name: 'process.send, advanced',
      command: node('node', 'send-advanced', bytes),
      target: advanced,
    },
    { name: 'worker postMessage', command: node('worker', 'flow', bytes), target: post },
  ].filter(({ target }) => target > 0);

/** C that publishes each message by itself. @param {number} bytes @param {number} target */
const oneByOne = (bytes, target) => ({
  name: 'C, published one by one',
  command: c('ring', 'one', bytes, capacityFor(bytes)),
  target,
});

/** No library could do less. @param {number} bytes */
const floor = (bytes) => ({
  name: 'the least JavaScript, spinning',
  command: node('ring-floor', 'flow', bytes, capacityFor(bytes)),
});

/** @param {number} bytes */
const ofZeromq = (bytes) => [
  { name: 'zeromq, ipc', peer: 'zeromq', command: node('zeromq', 'flow', bytes) },
];

/**
 * Round trips of 64 B.
 *
 * @param {string} exercise
 * @param {string} title
 * @param {'spin' | 'loop'} waiting
 * @param {readonly import('../compare.mjs').Against[]} against
 * @returns {import('../compare.mjs').Row}
 */
const trips = (exercise, title, waiting, against) => ({
  id: exercise,
  title: `${title}, 64 B there and back`,
  waiting,
  kind: 'time',
  unit: 'trips',
  bytes: 64,
  ours: node('ring', exercise, 64, 64 * KIB),
  against,
});

export const rows = () => {
  const spinning = c('ring', 'trips', 64, 64 * KIB);
  const loop = trips('trips-awaited', 'await send, receive', 'loop', [
    { name: 'C eventfd, epoll loop', command: c('ring', 'eventfd', 64, 64 * KIB), target: 1.3 },
    { name: 'process.send', command: node('node', 'roundtrip', 64), target: 0.35 },
    { name: 'worker postMessage', command: node('worker', 'trips', 64), target: 0.6 },
  ]);
  return [
    flow('consume', 'sendMany → consume', 'sleep', 64, 0.45, [
      oneByOne(64, 0.45),
      floor(64),
      ...ofNode(64, 50, 150, 20),
      ...ofZeromq(64),
    ]),
    flow('many', 'sendMany → receiveMany', 'loop', 64, 0.2, [oneByOne(64, 0.2), ...ofNode(64, 20)]),
    flow('awaited', 'sendMany → receive', 'loop', 64, 0.1, ofNode(64, 10)),
    flow('consume', 'sendMany → consume', 'sleep', KIB, 0.45, [oneByOne(KIB, 0.45), floor(KIB)]),
    flow('zero-copy', 'claim → consume', 'sleep', 4 * KIB, 0.9, ofZeromq(4 * KIB)),
    flow('zero-copy', 'claim → consume', 'sleep', 64 * KIB, 0.9, [
      {
        name: 'Unix stream, writeSync → readSync',
        command: node('socket', 'stream', 'sync', 64 * KIB),
        target: 5,
      },
    ]),
    flow('zero-copy', 'claim → consume', 'sleep', MIB, 0.9),
    trips('trips-sync', 'sendSync, receiveSync', 'spin', [
      { name: 'C, spinning', command: spinning, target: 2 },
    ]),
    trips('trips-spin', 'await send, receive, with spin', 'spin', [
      { name: 'C, spinning', command: spinning, target: 3 },
      { name: 'process.send', command: node('node', 'roundtrip', 64), target: 0.01 },
    ]),
    {
      ...loop,
      ours: onOneCore(loop.ours),
      against: loop.against.map((each) => ({ ...each, command: onOneCore(each.command) })),
    },
    /** @type {import('../compare.mjs').Row} */
    ({
      id: 'open',
      title: 'ShmRing.attach(name).close(), 1 MiB',
      waiting: '-',
      kind: 'time',
      unit: 'rings',
      ours: node('ring', 'open', 64, MIB),
      against: [{ name: 'C open, mmap … close', command: c('shm', 'attach', MIB), target: 2 }],
    }),
    .../** @type {const} */ (['get', 'set']).map(
      (what) =>
        /** @type {import('../compare.mjs').Row} */ ({
          id: `value-${what}`,
          title: `ShmValue.${what}, 64 B`,
          waiting: '-',
          kind: 'time',
          unit: 'calls',
          ours: node('ring', what, 64, 0),
          against: [
            {
              name: 'C, same layout',
              command: c('ring', what === 'get' ? 'value' : 'set', 64, 0),
              target: 5,
            },
          ],
        }),
    ),
  ];
};
