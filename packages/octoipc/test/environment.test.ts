import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { asUser, whyNoStranger } from '../../core/test/stranger.js';
import { tally } from '../../core/test/tally.js';

type Outcome = 'done' | { kind: string; code: string; syscall?: string; hint?: string };

interface Report {
  readonly outcomes: Readonly<Record<string, Outcome>>;
  readonly left: readonly string[];
  readonly names: readonly string[];
}

const script = fileURLToPath(new URL('fixtures/environment.mjs', import.meta.url));
const NOBODY = 64_950 + (process.pid % 40);
const asNobody = asUser(NOBODY);

const works = (...command: string[]): boolean => {
  const [file = '', ...args] = command;
  return spawnSync(file, args).status === 0;
};
const missing = {
  prlimit: works('prlimit', '--version') ? undefined : 'prlimit is not installed',
  unshare: works('unshare', '-m', '-i', '-p', '-f', 'true')
    ? undefined
    : 'this user may not make namespaces',
  nobody: whyNoStranger(NOBODY, script),
  strace: works('strace', '-qq', '-o', '/dev/null', 'true')
    ? undefined
    : 'strace may not trace here',
};
for (const why of Object.values(missing)) if (why !== undefined) console.log(`skipped: ${why}`);

/** Does everything where something lacks; what failed, by what it was. */
async function failures(
  around: readonly string[],
  lack = 'nothing',
  size = 65_536,
): Promise<Record<string, Outcome>> {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-environment-'));
  chmodSync(folder, 0o777);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const command = around.map((word) => word.replaceAll('FOLDER', folder));
  const node = [process.execPath, '--expose-gc', script, folder, lack, String(size)];
  const [file = '', ...args] = [...command, ...node];
  const { outcomes, left, names } = await Peer.start(file, args).report<Report>();
  tally('faults', Object.keys(outcomes));
  expect({ left, names }).toEqual({ left: [], names: [] });
  return Object.fromEntries(Object.entries(outcomes).filter(([, outcome]) => outcome !== 'done'));
}

const refused = (code: string, hint: RegExp): object => ({
  kind: 'IpcError',
  code,
  hint: expect.stringMatching(hint) as string,
});

/** What is recorded in /dev/shm before it is made. */
const RECORDED = [
  'mq POSIX',
  'mq System V',
  'sem POSIX',
  'sem System V',
  'sem Mutex',
  'shm',
  'shm System V',
  'ring',
];
const all = (names: readonly string[], outcome: object): object =>
  Object.fromEntries(names.map((name) => [name, outcome]));

const mounted = (mounts: string): string[] => [
  'unshare',
  '-m',
  'sh',
  '-c',
  `${mounts} && exec "$@"`,
  'sh',
];

describe.skipIf(missing.prlimit !== undefined)('where a resource of the process lacks', () => {
  test('BIND-017: everything is EMFILE without a descriptor, with a remedy, but what needs none', async () => {
    const failed = await failures([], 'descriptors');
    expect(Object.keys(failed)).toEqual(
      expect.arrayContaining(['pipe', 'fifo', 'socket', ...RECORDED, 'shm memfd', 'popen']),
    );
    for (const [what, outcome] of Object.entries(failed)) {
      expect(outcome, what).toMatchObject(refused('EMFILE', /descriptor|RLIMIT_NOFILE/));
    }
  });

  test('a message queue is EMFILE with an RLIMIT_MSGQUEUE of 0, and nothing else', async () => {
    expect(await failures([], 'msgqueue=0')).toEqual({
      'mq POSIX': expect.objectContaining(refused('EMFILE', /RLIMIT_MSGQUEUE \(0 /)) as object,
    });
  });

  test('a signal with a value is EAGAIN with an RLIMIT_SIGPENDING of 0, and nothing else', async () => {
    expect(await failures([], 'sigpending=0')).toEqual({
      signal: expect.objectContaining(refused('EAGAIN', /RLIMIT_SIGPENDING/)) as object,
    });
  });

  test('memory is ENOMEM without address space, and nothing else', async () => {
    const failed = await failures([], 'address space', 1 << 28);
    expect(Object.keys(failed)).toEqual(['shm', 'shm memfd', 'ring']);
    for (const outcome of Object.values(failed)) {
      expect(outcome).toMatchObject(refused('ENOMEM', /address space|ulimit -v|memory/));
    }
  });

  test.skipIf(missing.nobody !== undefined)(
    'what starts a process or a thread is EAGAIN with an RLIMIT_NPROC of 1, and nothing else',
    async () => {
      const failed = await failures(['setpriv', ...asNobody], 'nproc=1');
      expect(Object.keys(failed)).toContain('popen');
      for (const [what, outcome] of Object.entries(failed)) {
        expect(outcome, what).toMatchObject(refused('EAGAIN', /RLIMIT_NPROC/));
      }
    },
  );
});

describe.skipIf(missing.unshare !== undefined)('where the system lacks something', () => {
  test('memory that is larger than /dev/shm is ENOSPC, with a remedy, and nothing else', async () => {
    const failed = await failures(
      mounted('mount -t tmpfs -o size=64k tmpfs /dev/shm'),
      'nothing',
      1 << 20,
    );
    const full = expect.objectContaining(refused('ENOSPC', /\/dev\/shm/)) as object;
    expect(failed).toEqual({ shm: full, ring: full });
  });

  test('whatever is recorded is ENOSPC in a full /dev/shm, with a remedy', async () => {
    const fill =
      'mount -t tmpfs -o size=64k tmpfs /dev/shm && { dd if=/dev/zero of=/dev/shm/full bs=4k 2>/dev/null; true; }';
    const failed = await failures(mounted(fill));
    const full = expect.objectContaining(refused('ENOSPC', /\/dev\/shm/)) as object;
    expect(failed).toEqual(all(RECORDED, full));
  });

  test('whatever is recorded is EROFS in a read-only /dev/shm, with a remedy', async () => {
    const failed = await failures(mounted('mount -t tmpfs -o ro tmpfs /dev/shm'));
    const readOnly = expect.objectContaining(refused('EROFS', /read-only/)) as object;
    expect(failed).toEqual(all(RECORDED, readOnly));
  });

  test('a FIFO and a socket are EROFS on a read-only file system', async () => {
    const failed = await failures(mounted('mount -t tmpfs -o ro tmpfs FOLDER'));
    expect(Object.keys(failed).toSorted()).toEqual(['fifo', 'socket']);
    for (const outcome of Object.values(failed))
      expect(outcome).toMatchObject(refused('EROFS', /read-only/));
  });

  test('everything works in a pid namespace of its own', async () => {
    const inside = ['unshare', '-p', '-f', '--mount-proc', 'sh', '-c', '"$@"; exit $?', 'sh'];
    expect(await failures(inside)).toEqual({});
  });

  test.skipIf(missing.nobody !== undefined)(
    'everything works for an unprivileged user',
    async () => {
      expect(await failures(['setpriv', ...asNobody])).toEqual({});
    },
  );
});

describe.skipIf(missing.strace !== undefined)('where the kernel lacks a system call', () => {
  const without = (...calls: string[]): string[] => {
    const list = calls.join(',');
    const args = `-f -qq -o /dev/null -e trace=${list} -e inject=${list}:error=ENOSYS`;
    return ['strace', ...args.split(' ')];
  };

  test('what cannot be done without it is ENOSYS, with a remedy, and nothing else', async () => {
    const failed = await failures(
      without(
        'mq_open',
        'msgget',
        'semget',
        'shmget',
        'memfd_create',
        'rt_sigqueueinfo',
        'rt_tgsigqueueinfo',
      ),
    );
    expect(Object.keys(failed)).toEqual(
      expect.arrayContaining([
        'mq POSIX',
        'mq System V',
        'sem System V',
        'shm memfd',
        'shm System V',
      ]),
    );
    for (const [what, outcome] of Object.entries(failed)) {
      expect(outcome, what).toMatchObject(refused('ENOSYS', /./));
    }
  });

  test('what can be done in another way is done so, or is ENOSYS', async () => {
    const failed = await failures(
      without(
        'pidfd_open',
        'signalfd4',
        'futex_waitv',
        'close_range',
        'fallocate',
        'linkat',
        'renameat2',
      ),
    );
    for (const [what, outcome] of Object.entries(failed)) {
      const code = expect.stringMatching(/^(ENOSYS|ERR_UNSUPPORTED)$/) as string;
      expect(outcome, what).toMatchObject({ ...refused('', /./), code });
    }
  });
});
