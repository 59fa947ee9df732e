// @ts-check
// Many processes that send to one, or that contend for one thing: how much gets through, and how fairly
// they are served.
import { c, node } from '../programs.mjs';

const COUNTS = [1, 2, 4, 8, 16, 32, 64];

/** How the consumer, or who contends, waits; and how many there can be. @type {readonly [mechanism: string, title: string, waiting: 'sleep' | 'loop', most: number][]} */
const MECHANISMS = [
  ['posix', 'mq, POSIX', 'sleep', 64],
  ['sysv', 'mq, System V', 'sleep', 64],
  ['fifo', 'FIFO, multipleSenders', 'loop', 64],
  ['ring', 'ring, multiple producers', 'loop', 32],
  ['seqpacket', 'seqpacket, a server', 'loop', 64],
  ['datagram', 'datagram', 'loop', 64],
  ['permit', 'POSIX semaphore, acquire and release', 'sleep', 64],
  ['lock', 'Mutex, lock and unlock', 'sleep', 64],
  ['sysvsem', 'System V semaphore, down and up', 'sleep', 64],
];

const CONTENDED = new Set(['permit', 'lock', 'sysvsem']);

export const rows = () =>
  MECHANISMS.flatMap(([mechanism, title, waiting, most]) =>
    COUNTS.filter((count) => count <= most).map(
      (count) =>
        /** @type {import('../compare.mjs').Row} */ ({
          id: `${mechanism}-${count}`,
          title: `${title}, ${CONTENDED.has(mechanism) ? '' : '64 B, '}${count} ${count === 1 ? 'process' : 'processes'}`,
          waiting,
          kind: 'throughput',
          unit: CONTENDED.has(mechanism) ? 'turns' : 'messages',
          ...(CONTENDED.has(mechanism) ? {} : { bytes: 64 }),
          producers: count,
          milliseconds: 300,
          rounds: 5,
          ours: node('producers', mechanism, 64, count),
          against: [
            { name: 'C, one call a message', command: c('producers', mechanism, 64, count) },
          ],
        }),
    ),
  );
