// @ts-check
import { c, node } from '../programs.mjs';

const GIB = 1024;

/**
 * @param {string} id
 * @param {string} title
 * @param {number} mebibytes
 * @param {import('../compare.mjs').Against[]} against
 * @returns {import('../compare.mjs').Row}
 */
const start = (id, title, mebibytes, against) => ({
  id,
  title: `popen(['/bin/true']).close(), ${title}`,
  waiting: 'loop',
  kind: 'time',
  unit: 'programs',
  ours: node('popen', 'popen', mebibytes),
  against,
});

export const rows = () => [
  start('empty', 'empty heap', 0, [
    { name: 'C posix_spawn', command: c('popen', '/bin/true', 0), target: 1.3 },
    { name: 'child_process.spawn', command: node('popen', 'spawn', 0), target: 0.6 },
    { name: 'execa', peer: 'execa', command: node('popen', 'execa', 0), target: 1 },
    { name: 'tinyexec', peer: 'tinyexec', command: node('popen', 'tinyexec', 0), target: 1 },
  ]),
  start('full', '1 GiB', GIB, [
    { name: 'C posix_spawn, 1 GiB', command: c('popen', '/bin/true', GIB), target: 1.3 },
    {
      name: 'child_process.spawn, 1 GiB',
      command: node('popen', 'spawn', GIB),
      target: 0.05,
      headline: true,
    },
    { name: 'popen, empty heap', command: node('popen', 'popen', 0), target: 1.2 },
  ]),
];
