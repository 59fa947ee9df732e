import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { asUser, whyNoStranger } from '../../core/test/stranger.js';
import { opened } from './opened.js';

const script = new URL('fixtures/limits.mjs', import.meta.url);

/** A user that no other test is, so that the kernel counts this one's pipes alone. */
const STRANGER = 64_100 + (process.pid % 400);

const asStranger = (uid: number) => [...asUser(uid), process.execPath];

const noPrlimit = spawnSync('prlimit', ['--version']).error !== undefined;
const noStranger = whyNoStranger(STRANGER, fileURLToPath(script));
if (noPrlimit) console.log('skipped: prlimit is not installed, so no limit can be lowered');
if (noStranger !== undefined) console.log(`skipped: ${noStranger}`);

const stranger = (scene: string, ...args: unknown[]) =>
  Peer.start('setpriv', [
    ...asStranger(STRANGER),
    fileURLToPath(script),
    scene,
    ...args.map(String),
  ]);

describe.skipIf(noPrlimit)('limits of the process', () => {
  test('PIPE-006 BIND-017: EMFILE with no and with one free descriptor, which stays free', async () => {
    const peer = Peer.node(script, ['nofile']);
    expect(await peer.report()).toEqual({
      none: 'EMFILE',
      one: 'EMFILE',
      full: 'EMFILE',
      two: 'ok',
      again: 'ok',
    });
  });

  test('BIND-017: EMFILE of a first wait, a splice on a thread and a child; later all of them work', async () => {
    const peer = Peer.node(script, ['nofileWait']);
    expect(await peer.report()).toEqual({
      wait: 'EMFILE',
      thread: 'EMFILE',
      spawned: 'EMFILE',
      half: 'EMFILE',
      whole: 'ok',
      later: ['x', 4],
      more: true,
    });
  });
});

describe.skipIf(noStranger !== undefined)('an unprivileged user', () => {
  test('PIPE-024: a capacity over fs.pipe-max-size is EPERM, with a hint', async () => {
    expect(await stranger('capacityOver').report()).toEqual({
      code: 'EPERM',
      syscall: 'fcntl',
      hint: 'string',
      made: 'EPERM',
      capacity: true,
    });
  });

  test('PIPE-026: past fs.pipe-user-pages-soft pipes are smaller, and work', async () => {
    const soft = Number(readFileSync('/proc/sys/fs/pipe-user-pages-soft', 'utf8'));
    expect(soft).toBeGreaterThan(0);
    const report = await stranger('userPages').report<{
      first: number;
      capacity: number;
      taken: number;
      got: number;
    }>();
    expect(report.first).toBe(65_536);
    expect(report.capacity).toBeLessThanOrEqual(2 * 4096);
    expect(report.taken).toBe(report.capacity);
    expect(report.got).toBe(report.taken + 50_000);
  });

  test.skipIf(noPrlimit)(
    'BIND-017: no thread under RLIMIT_NPROC is EAGAIN, and the rest works',
    async () => {
      expect(await stranger('nproc').report()).toEqual({ thread: 'EAGAIN', read: 'ok' });
    },
  );

  test('reads a pipe that it inherited from another user', async () => {
    const { reader, writer } = opened();
    const args = [...asStranger(STRANGER), fileURLToPath(script), 'inherited', '3'];
    const peer = Peer.start('setpriv', args, { stdio: ['pipe', 'pipe', 'pipe', reader.fd] });
    await writer.write('to another user');
    writer.close();
    expect(await peer.report()).toEqual([STRANGER, 'to another user']);
  });
});
