// @ts-check
// Round trips, of 64 B where they carry messages, both processes on one core, twice: each begun when the last is
// over, and by a schedule below what any of them can do. By a schedule a trip is timed from when it should have
// begun, so that a pause counts for all that it kept waiting, and not once.
import { c, node, onOneCore } from '../programs.mjs';
import { sizeOf } from '../sizes.mjs';

/** Nanoseconds: 2,000 trips a second. */
const INTERVAL = 500_000;

/** Milliseconds of a sample, so that one in a thousand has happened. */
const LONG = 300;

/**
 * @param {string} name
 * @param {'spin' | 'sleep' | 'loop'} waiting
 * @param {import('../programs.mjs').Command} ours
 * @param {readonly import('../compare.mjs').Against[]} against
 * @param {number} bytes - 0: no messages
 */
const both = (name, waiting, ours, against, bytes = 64) => {
  const pinned = waiting === 'spin' ? (/** @type {any} */ each) => each : onOneCore;
  /** @type {import('../compare.mjs').Row} */
  const row = {
    id: `${name.replaceAll(/[ ,]+/g, '-')}-${waiting}`,
    title: `${name}${bytes > 0 ? `, ${sizeOf(bytes)}` : ''} there and back`,
    waiting,
    kind: 'time',
    unit: 'trips',
    bytes,
    milliseconds: LONG,
    rounds: 7,
    ours: pinned(ours),
    against: against.map((each) => ({ ...each, command: pinned(each.command) })),
  };
  return [row, { ...row, id: `${row.id}-scheduled`, interval: INTERVAL }];
};

const C = 'C, the same calls';

export const rows = () => [
  ...both('pipe', 'sleep', node('pipe', 'roundtrip-sync', 64, 0), [
    { name: C, command: c('pipe', 'roundtrip', 64, 0) },
  ]),
  ...both('pipe', 'loop', node('pipe', 'roundtrip-awaited', 64, 0), [
    { name: 'C, epoll loop', command: c('pipe', 'epoll', 64, 0) },
    { name: 'process.send', command: node('node', 'roundtrip', 64) },
    { name: 'worker postMessage', command: node('worker', 'trips', 64) },
  ]),
  ...both('fifo', 'loop', node('fifo', 'roundtrip-awaited', 64), [
    { name: 'C, epoll loop', command: c('pipe', 'epoll', 64, 0, 'fifo') },
  ]),
  .../** @type {const} */ (['stream', 'seqpacket', 'datagram', 'tcp']).flatMap((kind) => [
    ...both(kind, 'loop', node('socket', kind, 'roundtrip-awaited', 64), [
      { name: 'C, epoll loop', command: c('socket', kind, 'epoll', 64) },
      ...(kind === 'stream' || kind === 'tcp'
        ? [{ name: 'net', command: node('net', kind, 'roundtrip', 64) }]
        : []),
      ...(kind === 'stream'
        ? [
            {
              name: 'node-ipc',
              peer: 'node-ipc',
              command: node('peers', 'node-ipc', 'trips', 64),
            },
          ]
        : []),
    ]),
  ]),
  .../** @type {const} */ (['posix', 'sysv']).flatMap((kind) => [
    ...both(`mq ${kind}`, 'sleep', node('mq', kind, 'roundtrip-sync', 64), [
      { name: C, command: c('mq', kind, 'roundtrip', 64) },
    ]),
    ...both(`mq ${kind}`, 'loop', node('mq', kind, 'roundtrip-awaited', 64), [
      { name: C, command: c('mq', kind, 'roundtrip', 64) },
    ]),
  ]),
  ...both('ring', 'spin', node('ring', 'trips-sync', 64, 65_536), [
    { name: C, command: c('ring', 'trips', 64, 65_536) },
  ]),
  ...both('ring', 'loop', node('ring', 'trips-awaited', 64, 65_536), [
    { name: 'C, eventfd, epoll loop', command: c('ring', 'eventfd', 64, 65_536) },
    { name: 'process.send', command: node('node', 'roundtrip', 64) },
  ]),
  ...both(
    'semaphore, POSIX',
    'sleep',
    node('sem', 'posix-sync'),
    [{ name: C, command: c('sem', 'posix') }],
    0,
  ),
  ...both(
    'signal',
    'loop',
    node('signal', 'roundtrip'),
    [{ name: 'C, signalfd, epoll loop', command: c('signal', 'trips') }],
    0,
  ),
];
