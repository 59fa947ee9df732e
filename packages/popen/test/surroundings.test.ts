import { popen, popenSync } from '@octoipc/popen';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, failure } from '../../core/test/failure.js';
import { started } from './started.js';

test('SIG-032: a program starts with an empty signal mask and every signal at its default', async () => {
  process.on('SIGUSR2', ignore);
  process.on('SIGHUP', ignore);
  onTestFinished(() => {
    process.off('SIGUSR2', ignore);
    process.off('SIGHUP', ignore);
  });
  for (const options of [{}, { dieWithParent: true }]) {
    const status = await started(['cat', '/proc/self/status'], 'r', options).text();
    const sets = /SigBlk:\s*(\w+)\nSigIgn:\s*(\w+)\nSigCgt:\s*(\w+)/.exec(status)!.slice(1);
    expect(sets.map((set) => BigInt(`0x${set}`))).toEqual([0n, 0n, 0n]);
  }
});

function ignore(): void {}

test('SIG-055: a program that a real-time signal has ended is told as such', async () => {
  expect(await started(['sh', '-c', 'kill -34 $$']).close()).toMatchObject({
    code: null,
    signal: 'SIGRTMIN',
    ok: false,
  });
  expect(await started(['sh', '-c', 'kill -64 $$']).close()).toMatchObject({
    signal: 'SIGRTMAX',
  });
});

test('POPEN-004: the status has what the program exits with, 0 to 255', async () => {
  for (const [given, code] of [
    [0, 0],
    [1, 1],
    [255, 255],
    [256, 0],
  ]) {
    const program = started(['perl', '-e', `exit ${given}`]);
    expect(await program.close()).toMatchObject({ code, signal: null, ok: code === 0 });
  }
});

test('POPEN-005: the status has the signal, and 128 more of it where a shell survives', async () => {
  expect(await started('kill -TERM $$').close()).toMatchObject({ code: null, signal: 'SIGTERM' });
  expect(
    await started(`sh -c 'kill -TERM $$' 2>&-; exit $?`, 'r', { stderr: 'ignore' }).close(),
  ).toMatchObject({ code: 143 });
});

test('limits hold in the program, and nowhere else', async () => {
  const command = 'ulimit -n; ulimit -H -n; ulimit -t; ulimit -H -t; ulimit -c';
  const limits = { nofile: 64, cpu: { soft: 7, hard: 9 }, core: 0 };
  const { stdout } = popenSync(command, { limits });
  expect(String(stdout)).toBe('64\n64\n7\n9\n0\n');
  expect(Number(popenSync('ulimit -n').stdout)).toBeGreaterThan(64);
  const half = popenSync('ulimit -S -t; ulimit -H -t', { limits: { cpu: { soft: 5 } } });
  expect(String(half.stdout)).toBe('5\nunlimited\n');
});

test('a limit ends what goes over it', async () => {
  const cpu = started('while :; do :; done', 'r', { limits: { cpu: { soft: 1, hard: 2 } } });
  expect(await cpu.close()).toMatchObject({ signal: 'SIGXCPU' });
  const size = started('exec dd if=/dev/zero bs=1k count=100', 'r', {
    limits: { fsize: 10_000 },
    stderr: 'ignore',
  });
  // A pipe is no file; a file would be over its limit.
  expect((await size.bytes()).length).toBe(102_400);
});

test('limits that are none, or may not be set, are refused', async () => {
  const refused = (limits: object) => codeNow(() => popen(['true'], 'r', { limits }));
  expect(refused({ files: 5 })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ nofile: -1 })).toBe('ERR_OUT_OF_RANGE');
  expect(refused({ nofile: 1.5 })).toBe('ERR_OUT_OF_RANGE');
  expect(refused({ nofile: 'many' })).toBe('ERR_INVALID_ARG_TYPE');
  expect(refused({ nofile: null })).toBe('ERR_INVALID_ARG_TYPE');
  expect(refused({ nofile: { soft: 9, hard: 8 } })).toBe('ERR_INVALID_ARG_VALUE');
  const error = await failure(() => popen(['true'], 'r', { limits: { nofile: 2 ** 40 } }));
  expect(error).toMatchObject({ code: 'EPERM', syscall: 'setrlimit', target: 'nofile' });
  expect(error.hint).toContain('hard limit');
});

test('nice is the niceness of the program', async () => {
  expect(Number(await started(['nice'], 'r', { nice: 7 }).text())).toBe(7);
  expect(codeNow(() => popen(['true'], 'r', { nice: 20 }))).toBe('ERR_OUT_OF_RANGE');
});

test('the status has what was used', async () => {
  const busy = started(['perl', '-e', 'my $i = 0; $i++ while $i < 3e6; my $x = "x" x 5e7;']);
  const { resourceUsage } = await busy.close();
  expect(resourceUsage.userTime).toBeGreaterThan(10);
  expect(resourceUsage.userTime).toBeLessThan(30_000);
  expect(resourceUsage.maxResidentSize).toBeGreaterThan(5e7);
  expect(Object.values(resourceUsage).every((value) => value >= 0)).toBe(true);
  expect(Object.isFrozen(busy.status) && Object.isFrozen(resourceUsage)).toBe(true);
});

test('what is checked is what is used: environment and arguments are looked at once', async () => {
  const values = ['good', 'bad\0', 'bad'];
  const env = {
    get ONCE() {
      return values.shift();
    },
  };
  expect(await started('echo $ONCE', 'r', { env }).text()).toBe('good\n');
  expect(values).toEqual(['bad\0', 'bad']);
  const command: [string, ...string[]] = ['echo', 'good'];
  const options = {
    get cwd() {
      command[1] = 'bad\0';
      return '/';
    },
  };
  expect(await started(command, 'r', options).text()).toBe('good\n');
});
