// @ts-check
import { c, node, onLibuv, onOneCore } from '../programs.mjs';
import { imported } from '../imported.mjs';

/** @returns {import('../compare.mjs').Row[]} */
export const rows = () => [
  {
    id: 'queue',
    title: 'send with a value → for await',
    waiting: 'loop',
    kind: 'throughput',
    unit: 'messages',
    bytes: 4,
    ours: node('signal', 'queue'),
    against: [{ name: 'C sigqueue, signalfd', command: c('signal', 'queue'), target: 0.2 }],
  },
  {
    id: 'roundtrip',
    title: 'send, await wait, there and back',
    waiting: 'loop',
    kind: 'time',
    unit: 'trips',
    ours: onOneCore(node('signal', 'roundtrip')),
    against: [
      onLibuv(onOneCore(c('signal-uv')), 1.5),
      { name: 'C signalfd, epoll loop', command: onOneCore(c('signal', 'trips')) },
      { name: 'process.on', command: onOneCore(node('signal', 'process-on')), target: 1 },
    ],
  },
  {
    id: 'sync-roundtrip',
    title: 'send, waitSync, there and back',
    waiting: 'sleep',
    kind: 'time',
    unit: 'trips',
    ours: onOneCore(node('signal', 'roundtrip-sync')),
    against: [
      { name: 'C, blocked in sigtimedwait', command: onOneCore(c('signal', 'sync')), target: 1.3 },
    ],
  },
  {
    id: 'open',
    title: 'watch().close(), the first and only watcher',
    waiting: '-',
    kind: 'time',
    unit: 'watchers',
    ours: node('signal', 'open'),
    against: [{ name: 'C sigprocmask, signalfd', command: c('signal', 'open'), target: 2 }],
  },
  {
    id: 'open-next',
    title: 'watch().close(), beside another watcher',
    waiting: '-',
    kind: 'time',
    unit: 'watchers',
    ours: node('signal', 'open-next'),
    against: [{ name: 'C sigprocmask, signalfd', command: c('signal', 'open'), target: 2 }],
  },
  {
    id: 'process',
    title: 'openProcess().close()',
    waiting: '-',
    kind: 'time',
    unit: 'processes',
    ours: node('signal', 'process'),
    against: [{ name: 'C pidfd_open, close', command: c('signal', 'process'), target: 2 }],
  },
  imported('@octoipc/signal'),
];
