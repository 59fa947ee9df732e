// @ts-check
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** What a figure's reader must know of the machine and the moment. */
export function machine() {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    kernel: release(),
    node: process.version,
    v8: process.versions.v8,
    compiler: firstLine(process.env['CC'] ?? 'cc', '--version'),
    load: loadavg(),
    scheduling: scheduling(),
  };
}

/** SCHED_FIFO (chrt -f 50 npm run bench …) keeps other work of the machine out of the figures; policies as sched(7) has them. */
function scheduling() {
  try {
    const policy = /^policy\s*:\s*(\d+)/m.exec(readFileSync('/proc/self/sched', 'latin1'))?.[1];
    return { 0: 'SCHED_OTHER', 1: 'SCHED_FIFO', 2: 'SCHED_RR' }[policy ?? ''] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** @param {string} file @param {...string} args */
function firstLine(file, ...args) {
  const { stdout, status } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n', 1)[0] : `no ${file}`;
}
