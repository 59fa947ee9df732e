import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';

import type { Finding } from './diagnosis.js';

/** Ordinary programs want so much of /dev/shm: containers give 64 MB and no more. */
const LEAST_ROOM = 128 * 2 ** 20;
/** Less than this part of it free is as good as full. */
const LEAST_FREE = 0.05;
const STICKY = 0o1777;

/** What the system is set up like: /dev/shm, and who removes objects behind the backs of their users. */
export function systemFindings(): Finding[] {
  return [...sharedMemoryFolder(), removeIpc(), ...cgroupLimit()];
}

function sharedMemoryFolder(): Finding[] {
  const findings: Finding[] = [];
  try {
    const { blocks, bavail, bsize } = statfsSync('/dev/shm');
    const [size, free] = [blocks * bsize, bavail * bsize];
    const small = size < LEAST_ROOM;
    findings.push({
      name: 'size of /dev/shm',
      value: `${megabytes(size)} MB, ${megabytes(free)} MB free`,
      level: small || free < size * LEAST_FREE ? 'warning' : 'ok',
      ...(small
        ? { remedy: 'docker run --shm-size=1g, or mount -o remount,size=1g /dev/shm' }
        : free < size * LEAST_FREE
          ? {
              remedy: 'it is nearly full: octoipc ls --kind shm,ring --orphaned shows what is left',
            }
          : {}),
    });
    const mode = statSync('/dev/shm').mode & 0o7777;
    findings.push({
      name: 'mode of /dev/shm',
      value: mode.toString(8),
      level: mode === STICKY ? 'ok' : 'warning',
      ...(mode === STICKY ? {} : { remedy: 'chmod 1777 /dev/shm' }),
    });
  } catch {
    // That it is missing is a finding of capabilities().
  }
  return findings;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

const LOGIND = [
  '/etc/systemd/logind.conf',
  '/run/systemd/logind.conf',
  '/usr/lib/systemd/logind.conf',
];

/** logind removes the IPC objects of a user, no system user, when his last session ends: logind.conf(5). */
function removeIpc(): Finding {
  const name = 'RemoveIPC of systemd-logind';
  if (!isRunning('systemd-logind')) return { name, value: 'no logind runs', level: 'ok' };
  const told = LOGIND.flatMap((file) => [...fragments(`${file}.d`), file])
    .map((file) => /^\s*RemoveIPC\s*=\s*(\S+)/m.exec(contentOf(file))?.[1])
    .find((value) => value !== undefined);
  const on = told === undefined || /^(?:yes|true|on|1)$/i.test(told);
  if (!on) return { name, value: told, level: 'ok' };
  const system = (process.getuid?.() ?? 0) < 1000;
  return {
    name,
    value: told ?? 'yes, by default',
    level: system ? 'note' : 'warning',
    remedy:
      'objects of users vanish when they log out: run as a system user, or RemoveIPC=no in /etc/systemd/logind.conf, or loginctl enable-linger',
  };
}

function isRunning(command: string): boolean {
  return folder('/proc').some(
    (pid) => /^\d+$/.test(pid) && contentOf(`/proc/${pid}/comm`).trim() === command.slice(0, 15),
  );
}

/** What a cgroup leaves of memory: objects of /dev/shm are charged to it. */
function cgroupLimit(): Finding[] {
  const text = contentOf('/sys/fs/cgroup/memory.max').trim();
  const limit = Number(text);
  if (text === '' || !Number.isFinite(limit)) return [];
  return [{ name: 'memory of this cgroup', value: `${megabytes(limit)} MB`, level: 'ok' }];
}

function fragments(path: string): string[] {
  return folder(path)
    .filter((file) => file.endsWith('.conf'))
    .toSorted()
    .toReversed()
    .map((file) => `${path}/${file}`);
}

function folder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
