// @ts-check
import { c, node } from '../programs.mjs';
import { imported } from '../imported.mjs';

const GIB = 1024;

/**
 * How much later than its timeout a command is settled that goes on.
 *
 * @param {string} id
 * @param {string} title
 * @param {string} command
 * @returns {import('../compare.mjs').Row}
 */
const settles = (id, title, command) => ({
  id,
  title: `popen('${command}', 'r', { timeout: 300 }).text(), ${title}`,
  waiting: 'loop',
  kind: 'milliseconds',
  unit: 'programs',
  count: 1,
  rounds: 3,
  ours: node('popen', 'settle-popen', command),
  against: [
    { name: 'a timer of 300 ms', command: node('popen', 'settle-timer', command), target: 500 },
    // Ours less theirs: below zero it was settled sooner.
    {
      name: 'execa',
      peer: 'execa',
      command: node('popen', 'settle-execa', command),
      target: 0,
    },
    {
      name: 'tinyexec',
      peer: 'tinyexec',
      command: node('popen', 'settle-tinyexec', command),
      target: 0,
    },
  ],
});

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
  start('flat', '2 GiB', 2 * GIB, [
    { name: 'popen, empty heap', command: node('popen', 'popen', 0), target: 1.2 },
  ]),
  settles('settles', 'a child of the shell goes on', 'sleep 8 & wait'),
  settles('settles-away', 'a session of its own holds the pipe', 'setsid sleep 8 & wait'),
  imported('@octoipc/popen'),
];
