import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';

const script = fileURLToPath(new URL('fixtures/faults.mjs', import.meta.url));
const noTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status !== 0;
if (noTrace) console.log('skipped: strace is not installed, or may not trace here');

interface Report {
  readonly value?: unknown;
  readonly code?: string;
  readonly syscall?: string;
  readonly hint?: string;
  readonly left: number;
}

/** Plays a scene while system calls fail in its threads. */
async function played(scene: string, calls: string, fault: string): Promise<Report> {
  const inject = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${fault}`];
  const args = ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, script, scene];
  return Peer.start('strace', args).report();
}

/** What the hint has, where there is one. */
const HINTS: Readonly<Record<string, string>> = {
  EMFILE: 'RLIMIT_MSGQUEUE',
  ENOSYS: 'CONFIG_POSIX_MQUEUE',
};

describe.skipIf(noTrace)('where system calls fail', () => {
  test.each([
    ['posix', 'mq_timedsend,mq_timedreceive', '012345'],
    ['sysv', 'msgsnd,msgrcv', '012345abcd'],
  ])('BIND-015: %s: EINTR is never seen, and loses nothing', async (scene, calls, value) => {
    for (const when of ['1', '2+3', '1+2']) {
      expect(await played(scene, calls, `error=EINTR:when=${when}`)).toEqual({ value, left: 0 });
    }
  });

  test.each(['EMFILE', 'ENFILE', 'ENOSPC', 'ENOMEM', 'ENOSYS'])(
    'BIND-015 BIND-016: %s of mq_open and msgget is told, and leaves nothing open',
    async (code) => {
      const [posix, sysv] = await Promise.all([
        played('open', 'mq_open', `error=${code}`),
        played('openSysv', 'msgget', `error=${code}`),
      ]);
      expect(posix).toMatchObject({ code, syscall: 'mq_open', left: 0 });
      expect(sysv).toMatchObject({ code, syscall: 'msgget', left: 0 });
      expect(posix.hint ?? '').toContain(HINTS[code] ?? '');
    },
  );

  test('BIND-015: a mode that cannot be set leaves no queue', async () => {
    const report = await played('open', 'fchmod', 'error=EPERM:when=1+');
    expect(report).toMatchObject({ code: 'EPERM', syscall: 'mq_open', left: 0 });
  });

  test('BIND-015: a registration that fails is told by the first step, and leaves nothing open', async () => {
    for (const code of ['EBUSY', 'ENOMEM']) {
      const report = await played('notify', 'mq_notify', `error=${code}:when=1`);
      expect(report).toMatchObject({ code, syscall: 'mq_notify' });
    }
  });
});

test.skipIf(spawnSync('prlimit', ['--version']).error !== undefined)(
  'BIND-017: EMFILE of a first wait without a descriptor; a later one works',
  async () => {
    const limited = ['--nofile=64', process.execPath, script, 'exhausted'];
    const codes = await Peer.start('prlimit', limited).report();
    expect(codes).toEqual(['EMFILE', 'EMFILE', 'EMFILE', 'works again']);
  },
);
