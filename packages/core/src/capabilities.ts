import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { release } from 'node:os';

/** One thing that this machine allows or not. */
export interface Capability {
  /** What it is: a system call, a limit by its name in /proc/sys, a mount. */
  readonly name: string;
  readonly available: boolean;
  /** The limit's value or the feature's version, where there is one. */
  readonly value?: number | string;
  /** What to do where it is missing. */
  readonly remedy?: string;
}

/** What {@link capabilities} found. */
export interface Capabilities {
  readonly platform: NodeJS.Platform;
  /** The kernel's release: `6.1.0-18-amd64`. */
  readonly kernel: string;
  /** `glibc 2.36`, `musl`, or null on other systems. */
  readonly libc: string | null;
  /** The container runtime, where one can be told. */
  readonly container: string | null;
  readonly entries: readonly Capability[];
}

/** Linux features by the release that brought them. */
const FEATURES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['pidfd_open', 5, 3],
  ['waitid(P_PIDFD)', 5, 4],
  ['close_range', 5, 9],
  ['futex_waitv', 5, 16],
  ['preadv2(RWF_NOWAIT) on pipes', 6, 5],
  ['SO_PEERPIDFD', 6, 5],
];

const LIMITS: readonly string[] = [
  'fs/pipe-max-size',
  'fs/pipe-user-pages-soft',
  'fs/mqueue/msg_max',
  'fs/mqueue/msgsize_max',
  'fs/mqueue/queues_max',
  'kernel/msgmax',
  'kernel/msgmnb',
  'kernel/msgmni',
  'kernel/sem',
  'kernel/shmmax',
  'kernel/shmmni',
  'net/core/somaxconn',
  'net/unix/max_dgram_qlen',
];

const RESOURCES: Readonly<Record<string, string>> = {
  'Max open files': 'RLIMIT_NOFILE',
  'Max msgqueue size': 'RLIMIT_MSGQUEUE',
  'Max pending signals': 'RLIMIT_SIGPENDING',
  'Max processes': 'RLIMIT_NPROC',
  'Max locked memory': 'RLIMIT_MEMLOCK',
};

/**
 * What this kernel, libc, container and these limits allow, each with the remedy where it is missing.
 * Reads /proc; changes nothing.
 *
 * @returns the findings
 * @example
 * ```js
 * import { capabilities } from '@octoipc/core';
 *
 * for (const { name, available, remedy } of capabilities().entries) {
 *   if (!available) console.log(`${name}: ${remedy}`);
 * }
 * ```
 * @see proc(5)
 */
export function capabilities(): Capabilities {
  const linux = process.platform === 'linux';
  return {
    platform: process.platform,
    kernel: release(),
    libc: libc(),
    container: container(),
    entries: linux ? [...features(), ...limits(), ...resources(), ...mounts()] : [],
  };
}

function features(): Capability[] {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return FEATURES.map(([name, wantMajor, wantMinor]) => {
    const available = major > wantMajor || (major === wantMajor && minor >= wantMinor);
    const remedy = `needs Linux ${wantMajor}.${wantMinor} or later`;
    return available ? { name, available } : { name, available, remedy };
  });
}

function limits(): Capability[] {
  return LIMITS.map((path) => {
    const name = path.replaceAll('/', '.');
    const text = read(`/proc/sys/${path}`);
    if (text === undefined) {
      return { name, available: false, remedy: 'this kernel was built or started without it' };
    }
    return { name, available: true, value: valueOf(text) };
  });
}

function resources(): Capability[] {
  const lines = read('/proc/self/limits')?.split('\n') ?? [];
  return Object.entries(RESOURCES).flatMap(([title, name]) => {
    const soft = lines
      .find((line) => line.startsWith(title))
      ?.slice(title.length)
      .trim()
      .split(/\s+/)[0];
    if (soft === undefined) return [];
    const remedy = `raise it: prlimit --pid ${process.pid}, or LimitXXX= in the systemd unit`;
    const available = soft !== '0';
    return [{ name, available, value: valueOf(soft), ...(available ? {} : { remedy }) }];
  });
}

function mounts(): Capability[] {
  const table = read('/proc/self/mounts')?.split('\n') ?? [];
  const mqueue = table.map((line) => line.split(' ')).find((fields) => fields[2] === 'mqueue')?.[1];
  const shm = existsSync('/dev/shm');
  return [
    mqueue === undefined
      ? {
          name: 'mqueue file system',
          available: false,
          remedy: 'queues work without it; to list them: mount -t mqueue none /dev/mqueue',
        }
      : { name: 'mqueue file system', available: true, value: mqueue },
    shm
      ? { name: '/dev/shm', available: true, value: shmSize() }
      : { name: '/dev/shm', available: false, remedy: 'mount -t tmpfs tmpfs /dev/shm' },
  ];
}

function shmSize(): number {
  const { blocks, bsize } = statfsSync('/dev/shm');
  return blocks * bsize;
}

function libc(): string | null {
  if (process.platform !== 'linux') return null;
  // Without the network part, which would look up host names.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before ?? false;
  return header.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

function container(): string | null {
  if (existsSync('/.dockerenv')) return 'docker';
  if (existsSync('/run/.containerenv')) return 'podman';
  return process.env['container'] ?? null;
}

function valueOf(text: string): number | string {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim().replaceAll('\t', ' ');
  } catch {
    return undefined;
  }
}
