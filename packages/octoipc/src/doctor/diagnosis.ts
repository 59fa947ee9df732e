import { capabilities } from '@octoipc/core';

import { systemFindings } from './system.js';
import { bindingFindings } from './bindings.js';
import { objectFindings } from './objects.js';

/** How much a finding matters. */
export type Level = 'ok' | 'note' | 'warning' | 'broken';

/** Something that was looked at. */
export interface Finding {
  readonly name: string;
  readonly level: Level;
  readonly value?: string | number;
  /** What helps, where something is to be helped. */
  readonly remedy?: string;
}

/** Limits below which ordinary programs fail, and what raises them. */
const LEAST: Readonly<Record<string, readonly [least: number, remedy: string]>> = {
  'fs.mqueue.msg_max': [10, 'sysctl fs.mqueue.msg_max=10'],
  'fs.mqueue.queues_max': [64, 'sysctl fs.mqueue.queues_max=256'],
  'kernel.msgmnb': [16_384, 'sysctl kernel.msgmnb=16384'],
  'kernel.msgmni': [32, 'sysctl kernel.msgmni=32000'],
  'kernel.shmmni': [32, 'sysctl kernel.shmmni=4096'],
  'net.core.somaxconn': [128, 'sysctl net.core.somaxconn=4096'],
  'net.unix.max_dgram_qlen': [10, 'sysctl net.unix.max_dgram_qlen=512'],
  RLIMIT_NOFILE: [256, 'ulimit -n 1024, or LimitNOFILE= in the systemd unit'],
  RLIMIT_MSGQUEUE: [81_920, 'ulimit -q 819200, or LimitMSGQUEUE= in the systemd unit'],
  RLIMIT_SIGPENDING: [128, 'ulimit -i 1024, or LimitSIGPENDING= in the systemd unit'],
};

/** Mechanisms do not need these, they are faster or can do more with them. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'futex_waitv',
  'preadv2(RWF_NOWAIT) on pipes',
  'SO_PEERPIDFD',
  'mqueue file system',
]);

/**
 * Looks at all that IPC depends on. Changes nothing.
 *
 * @returns the findings, whatever is broken first
 */
export function diagnose(): Finding[] {
  const { platform, kernel, libc, container, entries } = capabilities();
  const linux = platform === 'linux';
  const findings: Finding[] = [
    {
      name: 'kernel',
      value: `${platform} ${kernel}`,
      level: linux ? 'ok' : 'broken',
      ...(linux ? {} : { remedy: 'the mechanisms need Linux' }),
    },
    { name: 'libc', value: libc ?? 'unknown', level: 'ok' },
    { name: 'Node.js', value: process.version, level: 'ok' },
    ...containerFinding(container),
    ...entries.map(judgedCapability),
    ...(linux ? [...systemFindings(), ...bindingFindings(), ...objectFindings()] : []),
  ];
  const order: readonly Level[] = ['broken', 'warning', 'note', 'ok'];
  return findings.toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

function containerFinding(container: string | null): Finding[] {
  if (container === null) return [{ name: 'container', value: 'none', level: 'ok' }];
  return [
    {
      name: 'container',
      value: container,
      level: 'note',
      remedy:
        'names and keys are those of the container: to share them, start both with --ipc=host or --ipc=container:NAME',
    },
  ];
}

function judgedCapability(capability: {
  readonly name: string;
  readonly available: boolean;
  readonly value?: number | string;
  readonly remedy?: string;
}): Finding {
  const { name, available, value, remedy } = capability;
  const found = { name, ...(value === undefined ? {} : { value }) };
  if (!available) {
    const level = OPTIONAL.has(name) ? 'note' : 'warning';
    return { ...found, level, ...(remedy === undefined ? {} : { remedy }) };
  }
  const [least, raise] = LEAST[name] ?? [];
  if (least === undefined || typeof value !== 'number' || value >= least) {
    return { ...found, level: 'ok' };
  }
  return { ...found, level: 'warning', remedy: `it is low, ${least} is usual: ${raise}` };
}
