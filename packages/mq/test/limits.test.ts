import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { PosixQueue } from '@octoipc/mq';
import { describe, expect, test } from 'vitest';

import { failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { asUser, whyNoStranger } from '../../core/test/stranger.js';
import { exists, freshName, posix, sysv } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);
const script = fileURLToPath(peer);

/** A user that no other test is, so that the kernel counts this one's queues alone. */
const STRANGER = 64_600 + (process.pid % 400);

const asStranger = asUser(STRANGER);
const works = (file: string, ...args: string[]): boolean => spawnSync(file, args).status === 0;
const noStranger = whyNoStranger(STRANGER, script);
const noNamespace = !works('unshare', '-i', 'true');
const noPrlimit = !works('prlimit', '--version');
if (noStranger !== undefined) console.log(`skipped: ${noStranger}`);
if (noNamespace) console.log('skipped: this user may not make IPC namespaces');
if (noPrlimit) console.log('skipped: prlimit is not installed');

const stranger = (...args: unknown[]): Peer =>
  Peer.start('setpriv', [...asStranger, process.execPath, script, ...args.map(String)]);

const knob = (name: string): number => Number(readFileSync(`/proc/sys/${name}`, 'latin1'));

describe('limits of POSIX queues', () => {
  test('MQ-008 MQ-009: EINVAL names the limit that was passed, and its file', async () => {
    const [messages, size] = [knob('fs/mqueue/msg_max') + 1, knob('fs/mqueue/msgsize_max') + 1];
    const name = freshName();
    // With CAP_SYS_RESOURCE these are allowed, up to the kernel's own bounds.
    const over = [
      { maxMessages: Math.max(messages, 65_537), maxMessageSize: 1 },
      { maxMessages: 1, maxMessageSize: Math.max(size, 2 ** 24 + 1) },
    ];
    const names = ['maxMessages', 'maxMessageSize'];
    for (const [index, options] of over.entries()) {
      const error = await failure(() => PosixQueue.open(name, { create: true, ...options }));
      expect(error).toMatchObject({ code: 'EINVAL', syscall: 'mq_open', target: name });
      expect(error.hint).toContain(names[index]);
      expect(error.hint).toContain('/proc/sys/fs/mqueue/');
    }
    expect(exists(name)).toBe(false);
  });

  test.skipIf(noStranger !== undefined)(
    'MQ-010 MQ-069: EMFILE of RLIMIT_MSGQUEUE, which counts what the manual says, as what it is',
    async () => {
      const each = 8 * (1024 + 48) + 8 * 48;
      const { maxBytes } = PosixQueue.limits();
      const report = await stranger('exhaust', 8, 1024).report<{ opened: number; hint: string }>();
      expect(report).toMatchObject({ opened: Math.floor(maxBytes / each), code: 'EMFILE' });
      expect(report.hint).toContain(`takes ${each} bytes of RLIMIT_MSGQUEUE`);
    },
  );

  test.skipIf(noPrlimit)('MQ-011 BIND-017: EMFILE of RLIMIT_NOFILE as what it is', async () => {
    const limited = Peer.start('prlimit', [
      '--nofile=64',
      process.execPath,
      script,
      'exhaust',
      '1',
      '1',
    ]);
    const report = await limited.report<{ opened: number; hint: string }>();
    expect(report).toMatchObject({ code: 'EMFILE' });
    expect(report.opened).toBeGreaterThan(0);
    expect(report.hint).toContain('RLIMIT_NOFILE 64');
  });

  test.skipIf(noPrlimit)(
    'MQ-010 BIND-017: no queue at all with an RLIMIT_MSGQUEUE of 0',
    async () => {
      const limited = Peer.start('prlimit', [
        '--msgqueue=0',
        process.execPath,
        script,
        'exhaust',
        '1',
        '1',
      ]);
      const report = await limited.report<{ hint: string }>();
      expect(report).toMatchObject({ opened: 0, code: 'EMFILE' });
      expect(report.hint).toContain('RLIMIT_MSGQUEUE (0 ');
    },
  );

  test.skipIf(noNamespace || noStranger !== undefined)(
    'MQ-012: ENOSPC where there are as many queues as there may be',
    async () => {
      const command = `echo 3 > /proc/sys/fs/mqueue/queues_max && exec setpriv "$@"`;
      const args = [...asStranger, process.execPath, script, 'exhaust', '1', '1'];
      const inside = Peer.start('unshare', ['-i', 'sh', '-c', command, 'sh', ...args]);
      const report = await inside.report<{ opened: number; hint: string }>();
      expect(report).toMatchObject({ opened: 3, code: 'ENOSPC' });
      expect(report.hint).toContain('/proc/sys/fs/mqueue/queues_max');
    },
  );

  test.skipIf(noStranger !== undefined)(
    'MQ-016 MQ-052: EACCES for another user, to open and to unlink',
    async () => {
      const queue = posix();
      expect(await stranger('stranger', queue.name).report()).toEqual(['EACCES', 'EACCES']);
      expect(exists(queue.name)).toBe(true);
    },
  );

  test.skipIf(noNamespace)('MQ-070: ENOENT in another IPC namespace', async () => {
    const queue = posix();
    const inside = Peer.start('unshare', ['-i', process.execPath, script, 'stranger', queue.name]);
    expect(await inside.report()).toEqual(['ENOENT', 'ENOENT']);
  });
});

describe('limits of System V queues', () => {
  test.skipIf(noStranger !== undefined)(
    'SVMSG-005 SVMSG-028 SVMSG-032: EACCES and EPERM for another user, and nothing happens',
    async () => {
      const queue = sysv();
      const denied = { stat: 'EACCES', setStat: 'EACCES', remove: 'EPERM' };
      const calls = await stranger('calls', queue.id).report();
      expect(calls).toEqual({ receive: 'EACCES', send: 'EACCES', ...denied });
      expect(await stranger('open', queue.key).report()).toBe('EACCES');
      queue.setStat({ mode: 0o604 });
      expect(await stranger('open', queue.key).report()).toBe('ok');
      expect(await stranger('calls', queue.id).report()).toEqual({
        receive: 'ok',
        send: 'EACCES',
        stat: 'ok',
        setStat: 'EPERM',
        remove: 'EPERM',
      });
      expect(queue.stat()).toMatchObject({ mode: 0o604, messages: 0 });
    },
  );

  test.skipIf(noNamespace)(
    'SVMSG-006: ENOSPC where there are as many queues as there may be',
    async () => {
      const command = `echo 2 > /proc/sys/kernel/msgmni && exec "$@"`;
      const args = [process.execPath, script, 'exhaustSysv'];
      const inside = Peer.start('unshare', ['-i', 'sh', '-c', command, 'sh', ...args]);
      const report = await inside.report<{ hint: string }>();
      expect(report).toMatchObject({ opened: 2, code: 'ENOSPC' });
      expect(report.hint).toContain('/proc/sys/kernel/msgmni');
    },
  );

  test.skipIf(noStranger !== undefined)(
    'SVMSG-031: lowers the most bytes, and EPERM to raise them over kernel.msgmnb',
    async () => {
      expect(await stranger('raise', knob('kernel/msgmnb')).report()).toEqual(['ok', 'EPERM']);
    },
  );
});
