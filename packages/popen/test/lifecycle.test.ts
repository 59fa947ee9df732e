import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { popen } from '@octoipc/popen';
import { expect, onTestFinished, test } from 'vitest';

import { codeOf } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { descriptors, gone, until } from '../../core/test/proc.js';
import { lives, livingInGroup, started, zombies } from './started.js';

const run = (scene: string, ...args: unknown[]) =>
  Peer.node(new URL('fixtures/lifecycle.mjs', import.meta.url), [scene, ...args]);

test('POPEN-008: a program that nobody waits for leaves no zombie', async () => {
  const program = popen(['true']);
  await gone(program.pid);
  await until(() => zombies().length === 0);
  expect(program.status).toMatchObject({ code: 0 });
  program.stdout.close();
  const closed = popen(['cat'], 'r+');
  closed.handle.close();
  expect(await codeOf(() => closed.close())).toBe('ERR_CLOSED');
  expect(await codeOf(() => closed.exited)).toBe('ERR_CLOSED');
  expect(closed.kill()).toBe(false);
  await gone(closed.pid);
  await until(() => zombies().length === 0);
});

test('POPEN-008: handles that are dropped are closed, with one warning, and leave no zombie', async () => {
  const {
    opened,
    left,
    zombies: dead,
    warnings,
  } = await run('drop').report<{
    opened: number;
    left: number;
    zombies: number;
    warnings: string[];
  }>();
  expect(opened).toBeGreaterThan(40);
  expect({ left, dead, warnings }).toEqual({ left: 0, dead: 0, warnings: ['IpcLeakWarning'] });
});

test.each(['before', 'after'])(
  'pipes that are made %s the end of one that was read and waited for by turns are served',
  async (when) => {
    const { code, stdout, stderr } = await run('beside', when).ended;
    const told = JSON.stringify([['a\n', 'b\n', 'c\n', 'null'], 10]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${told}\n`, stderr: '' });
  },
);

test('sockets of Node’s that get the numbers of a program that was dropped are served', async () => {
  expect(await run('numbers').report()).toEqual({ served: 5 });
});

test('POPEN-009: programs of ours and of child_process live side by side', async () => {
  const round = async (): Promise<void> => {
    const program = started('exit 5');
    const child = spawn('sh', ['-c', 'exit 6']);
    const code = new Promise((resolve) => child.once('exit', resolve));
    expect(await program.close()).toMatchObject({ code: 5 });
    expect(await code).toBe(6);
  };
  for (let i = 0; i < 20; i++) await round();
  await Promise.all(Array.from({ length: 20 }, round));
  expect(spawnSync('sh', ['-c', 'exit 7']).status).toBe(7);
});

test('POPEN-029: of 200 programs at once each end is told once, and nothing is left', async () => {
  await started(['true']).close();
  const before = descriptors();
  const told = new Map<number, number>();
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const program = popen(`read line; exit ${i}`, 'r+');
      void program.exited.then(() => told.set(program.pid, (told.get(program.pid) ?? 0) + 1));
      await program.write('go\n');
      expect(await program.close()).toMatchObject({ code: i });
    }),
  );
  expect(told.size).toBe(200);
  expect([...told.values()].every((times) => times === 1)).toBe(true);
  expect(zombies()).toEqual([]);
  expect([...descriptors().keys()].filter((fd) => !before.has(fd))).toEqual([]);
});

test('POPEN-032: a status can be looked at before the end is taken', async () => {
  // The grandchild holds the pipe, so with a deadline ahead the end is not taken yet.
  const program = started('sleep 600 & exit 3', 'r', { timeout: 300 });
  expect(await program.exited).toMatchObject({ code: 3, timedOut: false });
  expect(zombies()).toEqual([program.pid]);
  expect(livingInGroup(program.pid)).toHaveLength(1);
  await codeOf(() => program.text());
  expect(zombies()).toEqual([]);
});

test('the end is taken when others let go of the pipe before the deadline', async () => {
  const program = started('sleep 600 & echo $!; exit 3', 'r', { timeout: 20_000 });
  const sleeper = Number((await program.lines().next()).value);
  await program.exited;
  expect(program.handle.closed).toBe(false);
  process.kill(sleeper);
  await until(() => program.handle.closed);
  const other = started('sleep 600 & exit 3', 'r', { timeout: 20_000 });
  await other.exited;
  const member = livingInGroup(other.pid)[0]!;
  // Nobody will hear of it any more: the background program is left alone.
  await other.close();
  await until(() => other.handle.closed);
  expect(lives(member)).toBe(true);
  process.kill(member);
});

test('POPEN-041: a program that runs keeps the process alive, after unref() it does not', async () => {
  expect(await run('alive').ended).toMatchObject({ code: 0, stdout: 'ended 0\n' });
  const { code, stdout } = await run('unref').ended;
  expect(code).toBe(0);
  await gone(Number(stdout));
  expect(await run('unref-ref').ended).toMatchObject({ code: 0, stdout: 'ended 0\n' });
  expect(await run('background').ended).toMatchObject({ code: 0, stdout: 'over\n' });
});

test('close() with a signal that is aborted already rejects, and the program’s failure is no unhandled one', async () => {
  const { code, stdout, stderr } = await run('unheard').ended;
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'true\ntrue\n', stderr: '' });
});

test('POPEN-042: close() twice is the same result, and so is text()', async () => {
  const program = started('echo once; exit 3');
  const [one, two] = await Promise.all([program.text(), program.text()]);
  expect([one, two, await program.text()]).toEqual(['once\n', 'once\n', 'once\n']);
  const [first, second] = await Promise.all([program.close(), program.close()]);
  expect(first).toBe(second);
  expect(await program.close()).toBe(first);
  expect(await program.exited).toBe(program.status);
  const pending = started(['cat'], 'r+');
  const both = [pending.close(), pending.close()];
  expect(await both[0]).toBe(await both[1]);
});

test('POPEN-028: when the parent is killed a program gets end of file and SIGPIPE, and lives on', async () => {
  const parent = run('killed', JSON.stringify({ stderr: 'ignore' }));
  const { pid } = await parent.report<{ pid: number }>();
  parent.child.kill('SIGKILL');
  await parent.ended;
  // cat ends by itself: its stdin has no writer.
  await gone(pid);
});

test.each([
  ['main', 'SIGKILL'],
  ['main', 'SIGTERM'],
  ['main', 'exit'],
  ['main', 'throw'],
  ['worker', 'SIGKILL'],
  ['ended-worker', 'SIGKILL'],
  ['terminated-worker', 'SIGKILL'],
])(
  'POPEN-028: dieWithParent from %s: after %s nothing of the group is left, and before that all is',
  async (from, way) => {
    const parent = run('die-with-parent', from);
    const { pid, members } = await parent.report<{ pid: number; members: number[] }>();
    expect(members.length).toBe(3);
    expect(livingInGroup(pid).toSorted()).toEqual(members.toSorted());
    if (way.startsWith('SIG')) parent.child.kill(way as 'SIGKILL');
    else parent.tell(way);
    await parent.ended;
    for (const member of members) await gone(member);
  },
);

test('POPEN-028: dieWithParent: with group: false the program itself dies', async () => {
  const parent = run('die-with-parent', 'no-group');
  const { pid } = await parent.report<{ pid: number }>();
  parent.child.kill('SIGKILL');
  await parent.ended;
  await gone(pid);
});

test('POPEN-028: dieWithParent: groups are killed whose guard was held up', async () => {
  const parent = run('held-up');
  const { guard, members } = await parent.report<{ guard: number; members: number[] }>();
  onTestFinished(() => {
    for (const pid of [guard, ...members]) if (lives(pid)) process.kill(pid, 'SIGKILL');
  });
  expect(members).toHaveLength(6);
  expect(members.filter((member) => !lives(member))).toEqual([]);
  if (lives(guard)) process.kill(guard, 'SIGCONT');
  parent.child.kill('SIGKILL');
  await parent.ended;
  for (const member of members) await gone(member);
});

test('dieWithParent: the guard is gone with the last program that it guards', async () => {
  const children = (): number =>
    readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').length;
  const before = children();
  const programs = [1, 2, 3].map(() => started(['cat'], 'r+', { dieWithParent: true }));
  for (const program of programs) {
    await program.end('x');
    expect(await program.text()).toBe('x');
    expect(await program.close()).toMatchObject({ ok: true });
  }
  await until(() => zombies().length === 0);
  expect(children()).toBe(before);
});

test('a worker that is terminated leaves its programs running, and no zombie of them', async () => {
  const script = `
    const { popen } = require('@octoipc/popen');
    const program = popen(['sleep', '600']);
    require('node:worker_threads').parentPort.postMessage(program.pid);
  `;
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(script, { eval: true });
    const pid = await new Promise<number>((resolve) => worker.once('message', resolve));
    await worker.terminate();
    expect(lives(pid)).toBe(true);
    process.kill(pid);
    await gone(pid);
    await until(() => !zombies().includes(pid));
  }
});

test('a worker’s programs have its own process.env', async () => {
  const script = `
    const { popenSync } = require('@octoipc/popen');
    const { parentPort } = require('node:worker_threads');
    process.env.OCTOIPC_POPEN_TEST = 'of the worker';
    parentPort.postMessage(String(popenSync('echo $OCTOIPC_POPEN_TEST').stdout));
  `;
  const worker = new Worker(script, { eval: true });
  expect(await new Promise((resolve) => worker.once('message', resolve))).toBe('of the worker\n');
  expect(await started('echo ${OCTOIPC_POPEN_TEST-unset}').text()).toBe('unset\n');
  await worker.terminate();
});
