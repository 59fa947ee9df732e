import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PosixQueue, type PosixQueueInfo } from '@octoipc/mq';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { again, posix } from './queues.js';

const script = fileURLToPath(new URL('fixtures/peer.mjs', import.meta.url));
const noMount = spawnSync('unshare', ['-m', 'true']).status !== 0;
if (noMount) console.log('skipped: this user may not mount, not even in a namespace of its own');

describe('PosixQueue.list()', () => {
  test('has the queues that some process has open, and who that is', async () => {
    const queue = posix({ mode: 0o640 });
    queue.trySend('four', { priority: 1 });
    again(queue);
    const holder = Peer.node(new URL('fixtures/peer.mjs', import.meta.url), [
      'waiting',
      queue.name,
    ]);
    await holder.line();
    const listed = PosixQueue.list().find(({ name }) => name === queue.name);
    expect(listed).toMatchObject({
      mode: 0o640,
      uid: process.geteuid?.(),
      maxMessages: 4,
      maxMessageSize: 64,
    });
    expect(listed?.holders).toContain(process.pid);
    await holder.ended;
    const left = PosixQueue.list().find(({ name }) => name === queue.name);
    expect(left).toMatchObject({ currentMessages: 0, holders: [process.pid] });
    PosixQueue.unlink(queue.name);
    expect(PosixQueue.list().some(({ name }) => name === queue.name)).toBe(false);
  });

  test('leaves holders out if told so, where it can list without them', () => {
    const queue = posix();
    const listed = PosixQueue.list({ holders: false }).find(({ name }) => name === queue.name)!;
    expect(listed).toMatchObject({ maxMessages: 4, currentMessages: 0 });
    // Without the mqueue file system only its holders tell that a queue is there.
    const mounted = /^\S+ \S+ mqueue /m.test(readFileSync('/proc/self/mounts', 'utf8'));
    expect(listed.holders).toEqual(mounted ? [] : [process.pid]);
    expect(() => PosixQueue.list({ holders: 1 as never })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });

  test.skipIf(noMount)(
    'has all queues where the mqueue file system is mounted, with their bytes',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'octoipc mqueue '));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const queue = posix();
      queue.trySend('four');
      queue.close();
      const mounted = 'mount -t mqueue none "$0" && exec "$@"';
      const args = ['-m', 'sh', '-c', mounted, folder, process.execPath, script, 'list'];
      const all = await Peer.start('unshare', args).report<PosixQueueInfo[]>();
      expect(all.find(({ name }) => name === queue.name)).toMatchObject({
        currentMessages: 1,
        bytes: 4,
        notifyPid: null,
        holders: [],
      });
    },
  );

  test.skipIf(noMount)(
    'has the queues of this IPC namespace, though what is mounted is of another one',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'octoipc-mqueue-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const { name } = posix();
      const mounted = 'mount -t mqueue none "$0" && exec unshare -i "$@"';
      const command = [process.execPath, script, 'list', name];
      const peer = Peer.start('unshare', ['-m', 'sh', '-c', mounted, folder, ...command]);
      const all = await peer.report<PosixQueueInfo[]>();
      expect(all).toMatchObject([{ name, maxMessages: 1, bytes: null, holders: [peer.pid] }]);
    },
  );
});
