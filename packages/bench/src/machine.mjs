// @ts-check
import { spawnSync } from 'node:child_process';
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
  };
}

/** @param {string} file @param {...string} args */
function firstLine(file, ...args) {
  const { stdout, status } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n', 1)[0] : `no ${file}`;
}
