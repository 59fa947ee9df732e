import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { pipeline, popen, popenSync } from '@octoipc/popen';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { gone, until } from '../../core/test/proc.js';
import { isPending } from '../../pipe/test/opened.js';
import { folder, lineOf, lives, livingInGroup, started } from './started.js';

/** Longer than any test may take: who waits for such a program has waited in vain. */
const FOREVER = 600;

/** The most that a deadline of 300 ms may take, on a machine that has other things to do. */
const SETTLED = 10_000;

test('POPEN-023: kill() after the end is false, and sends nothing', async () => {
  const program = started(['true']);
  await program.close();
  expect(program.kill()).toBe(false);
  expect(program.kill('SIGKILL')).toBe(false);
  expect(program.kill('SIGUSR1', { after: 1 })).toBe(false);
});

test('kill() takes names, numbers and real-time signals, and refuses others', async () => {
  for (const [signal, name] of [
    ['SIGUSR1', 'SIGUSR1'],
    [9, 'SIGKILL'],
    ['SIGRTMIN+3', 'SIGRTMIN+3'],
    ['SIGRTMIN', 'SIGRTMIN'],
    ['SIGRTMIN+0', 'SIGRTMIN'],
    ['SIGRTMAX-29', 'SIGRTMIN+1'],
    [64, 'SIGRTMAX'],
    [33, 'SIG33'],
  ] as const) {
    const program = started(['sleep', String(FOREVER)]);
    expect(program.kill(signal)).toBe(true);
    expect(await program.close()).toMatchObject({ code: null, signal: name, ok: false });
  }
  const program = started(['sleep', String(FOREVER)]);
  expect(codeNow(() => program.kill('SIGNOPE' as never))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(() => program.kill('SIGRTMIN+31'))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(() => program.kill('SIGRTMAX-31'))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(() => program.kill('toString' as never))).toBe('ERR_INVALID_ARG_VALUE');
  expect(codeNow(() => program.kill(65))).toBe('ERR_OUT_OF_RANGE');
  expect(codeNow(() => program.kill(0))).toBe('ERR_OUT_OF_RANGE');
  expect(codeNow(() => program.kill(null as never))).toBe('ERR_INVALID_ARG_TYPE');
  expect(program.status).toBeNull();
});

test('POPEN-024: kill() reaches the grandchildren, and when it has settled none is left', async () => {
  const program = started(`sleep ${FOREVER} & sleep ${FOREVER} & echo up; wait`);
  await program.lines().next();
  expect(livingInGroup(program.pid)).toHaveLength(3);
  expect(program.kill()).toBe(true);
  expect(await program.close()).toMatchObject({ code: null, signal: 'SIGTERM' });
  expect(livingInGroup(program.pid)).toEqual([]);
});

test('POPEN-024: with group: false kill() reaches the program alone', async () => {
  const program = started(`sleep ${FOREVER} & echo $!; wait`, 'r', { group: false });
  const grandchild = Number((await program.lines().next()).value);
  onTestFinished(() => void process.kill(grandchild));
  program.kill();
  expect(await program.close()).toMatchObject({ signal: 'SIGTERM' });
  expect(lives(grandchild)).toBe(true);
});

test('POPEN-025: what ignores SIGTERM is killed after killAfter, in the whole group', async () => {
  const stubborn = `trap '' TERM; (trap '' TERM; sleep ${FOREVER}) & echo up; sleep ${FOREVER}`;
  const program = started(stubborn);
  await program.lines().next();
  program.kill();
  expect(await program.close()).toMatchObject({ signal: 'SIGKILL' });
  expect(livingInGroup(program.pid)).toEqual([]);
});

test('POPEN-025: a polite program has the time that killAfter gives', async () => {
  const polite = `trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done`;
  const program = started(polite, 'r', { killAfter: 20_000, stderr: 'ignore' });
  const lines = program.lines();
  await lines.next();
  program.kill();
  expect((await lines.next()).value).toBe('bye');
  expect(await program.close()).toMatchObject({ code: 5 });
});

test('kill(signal, { after }) sends SIGKILL to what is left then', async () => {
  const program = started(`trap '' USR1; echo up; sleep ${FOREVER}`);
  await program.lines().next();
  expect(program.kill('SIGUSR1')).toBe(true);
  expect(await isPending(program.exited)).toBe(true);
  expect(program.kill('SIGUSR1', { after: 10 })).toBe(true);
  expect(await program.close()).toMatchObject({ signal: 'SIGKILL' });
});

test.each([
  ['a grandchild that is waited for', `sleep ${FOREVER} & wait`],
  ['a grandchild that holds the pipe after the program has ended', `sleep ${FOREVER} & exit 0`],
  ['programs that ignore SIGTERM', `trap '' TERM; sleep ${FOREVER} & sleep ${FOREVER}; wait`],
  ['a program that is stopped', 'kill -STOP $$'],
])('POPEN-025: timeout: 300 settles in time with %s, and leaves nothing', async (_, command) => {
  for (const settle of [
    (program: ReturnType<typeof started>) => codeOf(() => program.text()),
    async (program: ReturnType<typeof started>) => {
      for await (const _line of program.lines());
    },
    (program: ReturnType<typeof started>) => codeOf(() => program.stdout!.readAll()),
  ]) {
    const began = performance.now();
    const program = started(command, 'r', { timeout: 300 });
    await Promise.resolve(settle(program)).catch(() => undefined);
    await program.exited;
    expect(performance.now() - began).toBeLessThan(SETTLED);
    expect(program.status).toMatchObject({ timedOut: true, ok: false });
    // What was sent SIGKILL ends when it gets a processor.
    await until(() => livingInGroup(program.pid).length === 0);
  }
});

test('POPEN-025: a deadline settles while a grandchild that left the group holds the pipe', async () => {
  const file = join(folder(), 'pid');
  const away = `setsid sh -c 'echo $$ > ${file}; exec sleep ${FOREVER}' & echo some; wait`;
  const program = started(away, 'r', { timeout: 300 });
  const error = await failure(() => program.text());
  const escaped = Number(await lineOf(file));
  onTestFinished(() => void process.kill(escaped));
  expect(lives(escaped)).toBe(true);
  expect(error).toMatchObject({ code: 'ETIMEDOUT', status: { timedOut: true } });
  expect(String((error as unknown as { stdout: Buffer }).stdout)).toBe('some\n');
  expect(await program.close()).toMatchObject({ timedOut: true });
});

/** A program that moves to the group of whoever has started it. */
const DESERTER = [
  'perl',
  '-e',
  `setpgrp(0, getpgrp(getppid)); $| = 1; print "$$\\n"; sleep ${FOREVER}`,
];
const noPerl = spawnSync('perl', ['-v']).error !== undefined;
if (noPerl) console.log('skipped: perl is not installed');

test.skipIf(noPerl)(
  'POPEN-025: a program that left its own group is reached by kill(), deadlines, and popenSync()',
  async () => {
    const command = DESERTER as [string, ...string[]];
    const program = started(command, 'r', { killAfter: Infinity });
    const lines = program.lines();
    const pid = Number((await lines.next()).value);
    expect(program.kill()).toBe(true);
    expect(await program.close()).toMatchObject({ signal: 'SIGTERM' });
    expect(lives(pid)).toBe(false);
    const late = started(command, 'r', { timeout: 300 });
    const error = await failure(() => late.text());
    expect(error).toMatchObject({ code: 'ETIMEDOUT', status: { signal: 'SIGTERM' } });
    expect(popenSync(command, { timeout: 300 }).status).toMatchObject({ signal: 'SIGTERM' });
  },
);

test('POPEN-025: close() resolves with timedOut, and rejects with check', async () => {
  const command = ['sleep', String(FOREVER)] as const;
  expect(await started(command, 'r', { timeout: 10 }).close()).toMatchObject({
    timedOut: true,
    ok: false,
    signal: 'SIGTERM',
  });
  expect(await codeOf(() => started(command, 'r', { timeout: 10, check: true }).close())).toBe(
    'ETIMEDOUT',
  );
  expect(await started(command, 'r', { timeout: 10, killSignal: 'SIGINT' }).close()).toMatchObject({
    timedOut: true,
    signal: 'SIGINT',
  });
});

test('a program that ends in time has not timed out', async () => {
  expect(await started('echo fine', 'r', { timeout: 20_000 }).text()).toBe('fine\n');
  expect(await started(['true'], 'r', { timeout: 20_000 }).close()).toMatchObject({
    timedOut: false,
    ok: true,
  });
});

test('an abort ends the whole group, and what waits rejects with its reason', async () => {
  const controller = new AbortController();
  const program = started(`sleep ${FOREVER} & echo up; wait`, 'r', { signal: controller.signal });
  const lines = program.lines();
  await lines.next();
  const next = failure(() => lines.next());
  const other = started(`sleep ${FOREVER}`, 'r', { signal: controller.signal });
  const closed = failure(() => other.close());
  const reason = new Error('no more of this');
  controller.abort(reason);
  expect(await next).toBe(reason);
  expect(await closed).toBe(reason);
  expect(await failure(() => program.text())).toBe(reason);
  expect(await program.exited).toMatchObject({ signal: 'SIGTERM', timedOut: false });
  expect(livingInGroup(program.pid)).toEqual([]);
  expect(() => popen('true', 'r', { signal: controller.signal })).toThrow(reason);
});

test('close({ timeout }) rejects with ETIMEDOUT, the program goes on, and the next one gets the status', async () => {
  const program = started(['sleep', String(FOREVER)]);
  expect(await codeOf(() => program.close({ timeout: 10 }))).toBe('ETIMEDOUT');
  const controller = new AbortController();
  const closing = program.close({ signal: controller.signal });
  controller.abort('enough');
  expect(await closing.catch(String)).toBe('enough');
  expect(lives(program.pid)).toBe(true);
  program.kill();
  expect(await program.close({ timeout: 20_000 })).toMatchObject({ signal: 'SIGTERM' });
});

test('POPEN-031: a program that is stopped has not ended, and goes on after SIGCONT', async () => {
  const program = started(['cat'], 'r+');
  program.kill('SIGSTOP');
  expect(await isPending(program.exited)).toBe(true);
  await program.write('after');
  expect(program.status).toBeNull();
  program.kill('SIGCONT');
  await program.end();
  expect(await program.text()).toBe('after');
});

test('[Symbol.asyncDispose]() ends the program and its group', async () => {
  const program = popen(`sleep ${FOREVER} & echo up; wait`, 'r+');
  await program.lines().next();
  await program[Symbol.asyncDispose]();
  expect(program.status).toMatchObject({ signal: 'SIGTERM' });
  expect(livingInGroup(program.pid)).toEqual([]);
  expect(program.stdin.closed && program.stdout.closed && program.handle.closed).toBe(true);
  await program[Symbol.asyncDispose]();
});

test('POPEN-026: timeout(1) says 124, and 137 where it had to kill', async () => {
  expect((await started(['timeout', '0.05', 'sleep', '600']).close()).code).toBe(124);
  const stubborn = [
    'timeout',
    '-k',
    '0.05',
    '0.05',
    'sh',
    '-c',
    "trap '' TERM; while :; do :; done",
  ];
  // It kills itself the same way.
  const { code, signal } = await started(stubborn as [string, ...string[]]).close();
  expect(code === 137 || signal === 'SIGKILL').toBe(true);
});

test('a deadline of a pipeline, and of popenSync(), leaves nothing of any group', async () => {
  const line = pipeline([`sleep ${FOREVER} & wait`, 'cat', `sleep ${FOREVER}`], 'r', {
    timeout: 300,
  });
  expect(await codeOf(() => line.text())).toBe('ETIMEDOUT');
  for (const { pid } of line.processes) expect(livingInGroup(pid)).toEqual([]);
  const began = performance.now();
  const file = join(folder(), 'pid');
  const command = `echo $$ > ${file}; trap '' TERM; sleep ${FOREVER} & echo out; sleep ${FOREVER}`;
  const { status, stdout } = popenSync(command, { timeout: 300 });
  expect(performance.now() - began).toBeLessThan(SETTLED);
  expect(status).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
  expect(String(stdout)).toBe('out\n');
  expect(livingInGroup(Number(await lineOf(file)))).toEqual([]);
});

test('a group is out of the terminal’s foreground, and out of the parent’s group', async () => {
  const own = started('ps -o pid=,pgid= -p $$');
  const [pid, pgid] = (await own.text()).trim().split(/\s+/);
  expect(pgid).toBe(pid);
  const shared = started('ps -o pgid= -p $$', 'r', { group: false });
  const mine = spawnSync('ps', ['-o', 'pgid=', '-p', String(process.pid)]).stdout.toString();
  expect((await shared.text()).trim()).toBe(mine.trim());
});

test('SIGKILL from outside is a status like any other', async () => {
  const program = started(['sleep', String(FOREVER)]);
  process.kill(program.pid, 'SIGKILL');
  await gone(program.pid);
  expect(await program.close()).toMatchObject({ signal: 'SIGKILL', timedOut: false });
  await until(() => program.handle.closed);
});
