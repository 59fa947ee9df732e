import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { reap } from '@octoipc/core';
import { PosixQueue, SysvQueue } from '@octoipc/mq';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { reapAlone } from '../../core/test/reaping.js';
import { folder } from '../../core/test/records.js';
import { asNobody } from '../../core/test/stranger.js';
import { exists, freshName, posix, sysv } from './queues.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);

/** How often a receiver of each kind is killed. */
const KILLS = process.env['OCTOIPC_QUICK'] === undefined ? 100 : 20;

/** The messages that a peer said it was given. */
const told = ({ stdout }: { stdout: string }): number[] =>
  stdout
    .split('\n')
    .slice(1, -1)
    .map((line) => Number((JSON.parse(line) as { text: string }).text));

describe.each(['posix', 'sysv'] as const)('a receiver of a %s queue', (kind) => {
  const ids = kind === 'posix' ? 'MQ-068' : 'SVMSG-037';
  test(
    `${ids}: that is killed, ${KILLS} times, takes at most the one message along that it was given just then, and none comes twice`,
    { timeout: 240_000 },
    async () => {
      const queue = kind === 'posix' ? posix({ maxMessages: 8 }) : sysv();
      const which = queue instanceof PosixQueue ? queue.name : String(queue.id);
      const received: number[] = [];
      let next = 0;
      let victim = Peer.node(peer, ['consume', which]);
      for (let kill = 0; kill < KILLS; kill++) {
        const [present, successor] = [victim, Peer.node(peer, ['consume', which])];
        expect(await present.line()).toBe('ready');
        present.tell('go');
        // It is killed while it waits, or in the midst of messages.
        const busy = kill % 7;
        for (let i = 0; i < busy; i++) await queue.send(String(next++));
        if (busy > 3) await present.line();
        present.child.kill('SIGKILL');
        received.push(...told(await present.ended));
        victim = successor;
      }
      for (let left = queue.tryReceive(); left !== undefined; left = queue.tryReceive()) {
        received.push(Number(left.data));
      }
      expect(new Set(received).size).toBe(received.length);
      expect(next - received.length).toBeLessThanOrEqual(KILLS);
      expect(received.length).toBeGreaterThan(next / 2);
    },
  );

  test(`${ids}: that is killed while it waits takes none of the messages that come then`, async () => {
    const queue = kind === 'posix' ? posix() : sysv();
    const which = queue instanceof PosixQueue ? queue.name : String(queue.id);
    for (let i = 0; i < 10; i++) {
      const victim = Peer.node(peer, ['waiting', which]);
      await victim.line();
      victim.child.kill('SIGKILL');
      await victim.ended;
      queue.trySend(String(i));
      expect(String(queue.tryReceive()?.data)).toBe(String(i));
    }
  });
});

describe('temporary queues', () => {
  /** A process that has one of each kind, one under this name. */
  async function owner(name: string): Promise<{ owning: Peer; id: number }> {
    const owning = Peer.node(peer, ['temporary', name]);
    const { id } = await owning.report<{ id: number }>();
    expect(bothExist(name, id)).toEqual([true, true]);
    return { owning, id };
  }

  const bothExist = (name: string, id: number): boolean[] => [
    exists(name),
    SysvQueue.list().some((queue) => queue.id === id),
  ];

  test('go when their process exits', async () => {
    const name = freshName();
    const { owning, id } = await owner(name);
    owning.tell('go');
    expect(await owning.ended).toMatchObject({ code: 0, stderr: '' });
    expect(bothExist(name, id)).toEqual([false, false]);
  });

  test('go with reap() when their process was killed', async () => {
    reapAlone();
    const name = freshName();
    const { owning, id } = await owner(name);
    owning.child.kill('SIGKILL');
    await owning.ended;
    const theirs = reap({ dryRun: true }).filter(({ pid }) => pid === owning.pid);
    expect(theirs.map(({ kind, removed }) => [kind, removed]).toSorted()).toEqual([
      ['posix-mq', true],
      ['sysv-mq', true],
    ]);
    expect(bothExist(name, id)).toEqual([true, true]);
    reap();
    expect(bothExist(name, id)).toEqual([false, false]);
  });

  test('go with their handle, whatever their mode', (context) => {
    context.skip(process.geteuid?.() !== 0, 'only root can become another user');
    const mounted = readFileSync('/proc/mounts', 'utf8').includes(' /dev/mqueue mqueue ');
    context.skip(
      !mounted,
      'the queues are not mounted, so that such a one cannot be told from another',
    );
    asNobody(() => {
      for (const mode of [0, 0o200, 0o400]) {
        const name = freshName();
        PosixQueue.open(name, { temporary: true, exclusive: true, mode }).close();
        expect(exists(name), mode.toString(8)).toBe(false);
      }
    });
  });

  test('that somebody has replaced stay', () => {
    const queue = posix({ temporary: true });
    PosixQueue.unlink(queue.name);
    const other = posix({}, queue.name);
    queue.close();
    expect(exists(other.name)).toBe(true);

    const key = 0x0c70_ffff;
    const mine = SysvQueue.open(key, { exclusive: true, temporary: true });
    SysvQueue.remove(mine.id);
    const theirs = SysvQueue.open(key, { exclusive: true });
    onTestFinished(() => theirs.remove());
    mine.close();
    expect(theirs.stat().messages).toBe(0);
  });

  test('are those that this call creates: one that is there already stays', () => {
    const queue = posix();
    PosixQueue.open(queue.name, { create: true, temporary: true }).close();
    expect(exists(queue.name)).toBe(true);
  });
});

test('reap() leaves the records of temporary queues of another IPC namespace', async (context) => {
  if (process.geteuid?.() !== 0) context.skip('needs root, to make an IPC namespace');
  reapAlone();
  const script = `
    import { PosixQueue, SysvQueue } from '@octoipc/mq';
    PosixQueue.open('/octoipc-elsewhere', { create: true, temporary: true });
    SysvQueue.open('private', { create: true, temporary: true });
    process.kill(process.pid, 'SIGKILL');`;
  const node = [process.execPath, '--input-type=module', '--eval', script];
  const maker = Peer.start('unshare', ['-i', ...node], { cwd: import.meta.dirname });
  await maker.ended;
  const records = (): string[] =>
    readdirSync(folder).filter((file) => file.split('.')[1] === String(maker.pid));
  onTestFinished(() => records().forEach((file) => rmSync(join(folder, file))));
  expect(records()).toHaveLength(2);
  const reports = reap().filter(({ pid }) => pid === maker.pid);
  expect(reports.map(({ removed }) => removed)).toEqual([false, false]);
  expect(records()).toHaveLength(2);
});
