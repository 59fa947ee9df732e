import { chmodSync, closeSync, openSync, rmdirSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { popen, popenSync, pipeline, type Command, type PopenOptions } from '@octoipc/popen';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { descriptors, until } from '../../core/test/proc.js';
import { asUser, whyNoStranger } from '../../core/test/stranger.js';
import { folder, started, zombies } from './started.js';

const refused = (command: Command, options?: PopenOptions) =>
  failure(() => popen(command, 'r', options));

test('POPEN-006: a program that is not there throws ENOENT at once, through a shell it is code 127', async () => {
  for (const file of ['/nonexistent/program', 'no-such-program', './no-such-program']) {
    expect(() => popen([file])).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'execve', target: file }),
    );
  }
  expect((await started('no-such-program', 'r', { stderr: 'ignore' }).close()).code).toBe(127);
});

test('POPEN-006: what may not be executed, and a directory, throw EACCES, through a shell it is 126', async () => {
  const file = join(folder(), 'plain');
  writeFileSync(file, '#!/bin/sh\n', { mode: 0o600 });
  expect(await refused([file])).toMatchObject({ code: 'EACCES', syscall: 'execve' });
  expect(await refused(['/'])).toMatchObject({ code: 'EACCES' });
  expect((await started(file, 'r', { stderr: 'ignore' }).close()).code).toBe(126);
});

test('POPEN-006: an entry of PATH that may not be executed is passed over, and reported if it is the only one', async () => {
  const [first, second] = [folder(), folder()];
  writeFileSync(join(first, 'octoipc-tool'), '#!/bin/sh\necho first\n', { mode: 0o600 });
  const env = { PATH: `/nonexistent:${first}:${second}` };
  expect(await refused(['octoipc-tool'], { env })).toMatchObject({ code: 'EACCES' });
  writeFileSync(join(second, 'octoipc-tool'), '#!/bin/sh\necho second\n', { mode: 0o700 });
  expect(await started(['octoipc-tool'], 'r', { env }).text()).toBe('second\n');
});

test('POPEN-007: a start that fails leaves no zombie and no descriptor', async () => {
  const program = join(folder(), 'busy');
  writeFileSync(program, '');
  chmodSync(program, 0o700);
  const failures: (() => unknown)[] = [
    () => popen(['/nonexistent'], 'r+', { stderr: 'pipe' }),
    () => popen(['true'], 'r+', { cwd: '/nonexistent' }),
    () => popen(['true'], 'r', { limits: { nofile: Infinity } }),
    () => popen(['true'], 'r', { fds: { 5: 9999 } }),
    () => popen(['/nonexistent'], 'r', { dieWithParent: true }),
    () => pipeline(['sleep 60', 'sleep 60', ['/nonexistent']]),
    () => popenSync(['/nonexistent'], { input: 'x' }),
  ];
  await started(['true']).close();
  for (const fail of failures) codeNow(fail);
  // The guard of a start that failed ends in the background.
  await until(() => zombies().length === 0);
  const before = descriptors();
  for (let i = 0; i < 20; i++) for (const fail of failures) codeNow(fail);
  await until(() => zombies().length === 0);
  await until(() => [...descriptors().keys()].every((fd) => before.has(fd)));
});

test('POPEN-018: arguments arrive byte for byte', async () => {
  const words = [
    '',
    ' ',
    'a b',
    '"',
    "'",
    '$HOME',
    '`id`',
    '\\',
    '\n',
    '*',
    '-n',
    '--',
    'é€𝄞',
    '\t',
  ];
  const script = 'printf "%s\\0" "$@"';
  const output = await started(['sh', '-c', script, 'sh', ...words]).text();
  expect(output).toBe(words.map((word) => `${word}\0`).join(''));
});

test('POPEN-018: a command line that begins with a hyphen is no option', async () => {
  expect((await started('-c', 'r', { stderr: 'ignore' }).close()).code).toBe(127);
});

test('POPEN-019: a NUL byte in a command, argument, variable or directory is refused before any fork', () => {
  const cases: [Command, PopenOptions?][] = [
    ['a\0b'],
    [['a\0b']],
    [['echo', 'a\0b']],
    ['true', { cwd: 'a\0b' }],
    ['true', { env: { 'A\0': 'b' } }],
    ['true', { env: { A: 'b\0' } }],
    [''],
    [['']],
    ['true', { env: { '': 'b' } }],
    ['true', { env: { 'A=B': 'c' } }],
    ['true', { cwd: '' }],
  ];
  for (const [command, options] of cases) {
    expect(codeNow(() => popen(command, 'r', options))).toBe('ERR_INVALID_ARG_VALUE');
  }
  for (const command of [5, null, undefined, {}, [], [5], ['echo', 5], ['echo', undefined]]) {
    expect(codeNow(() => popen(command as never))).toBe('ERR_INVALID_ARG_TYPE');
  }
});

test('POPEN-020: arguments over the limits throw E2BIG, with a hint', async () => {
  const long = 'x'.repeat(128 * 1024);
  const env = { LONG: long };
  const many = Array.from({ length: 30_000 }, () => 'y'.repeat(1000));
  expect(await refused(['true', long])).toMatchObject({ code: 'E2BIG', syscall: 'execve' });
  expect(await refused(['true', ...many])).toMatchObject({ code: 'E2BIG' });
  expect((await refused(['true'], { env })).hint).toContain('longer');
  expect(await started(['echo', '-n', long.slice(2)]).text()).toBe(long.slice(2));
});

test('names over the limits throw ENAMETOOLONG', async () => {
  expect(await refused([`/${'n'.repeat(256)}`])).toMatchObject({ code: 'ENAMETOOLONG' });
  expect(await refused([`/${'n/'.repeat(3000)}x`])).toMatchObject({ code: 'ENAMETOOLONG' });
  expect(await refused(['n'.repeat(256)])).toMatchObject({ code: 'ENAMETOOLONG' });
  expect(await refused(['true'], { cwd: `/${'n/'.repeat(3000)}` })).toMatchObject({
    code: 'ENAMETOOLONG',
    syscall: 'chdir',
  });
});

test('POPEN-021: ENOENT says whether the program or the directory is missing', async () => {
  const cwd = folder();
  rmdirSync(cwd);
  expect(await refused(['true'], { cwd })).toMatchObject({
    code: 'ENOENT',
    syscall: 'chdir',
    target: cwd,
  });
  expect(await refused(['/nonexistent'])).toMatchObject({ code: 'ENOENT', syscall: 'execve' });
  const script = join(folder(), 'script');
  writeFileSync(script, '#!/nonexistent/interpreter\n', { mode: 0o700 });
  expect((await refused([script])).hint).toContain('interpreter');
  expect(await refused(['true'], { cwd: '/dev/null' })).toMatchObject({ code: 'ENOTDIR' });
});

test('POPEN-021: where the parent’s own directory is gone, what is relative is a typed error', async () => {
  const scene = Peer.node(new URL('fixtures/lifecycle.mjs', import.meta.url), ['gone']);
  const [program, directory] = await scene.report<string[][]>();
  expect(program).toEqual(['IpcError', 'ENOENT', 'execve', expect.stringContaining('{ cwd }')]);
  expect(directory).toEqual(['IpcError', 'ENOENT', 'chdir', expect.stringContaining('(cwd)')]);
});

test('POPEN-022: env is all of the environment, and values may hold anything', async () => {
  const odd = { A: 'with = and\nnewline', EMPTY: '', UNSET: undefined };
  const output = await started(['/usr/bin/env', '-0'], 'r', { env: odd }).text();
  expect(output).toBe('A=with = and\nnewline\0EMPTY=\0');
  expect(await started(['env'], 'r', { env: {} }).text()).toBe('');
});

test('POPEN-022: a program is looked for in the PATH of env, else in the parent’s', async () => {
  const path = folder();
  writeFileSync(join(path, 'octoipc-tool'), '#!/bin/sh\necho mine\n', { mode: 0o700 });
  expect(await started(['octoipc-tool'], 'r', { env: { PATH: path } }).text()).toBe('mine\n');
  expect(await refused(['octoipc-tool'], { env: {} })).toMatchObject({ code: 'ENOENT' });
});

test('without env a program has what process.env has now', async () => {
  process.env['OCTOIPC_POPEN_TEST'] = 'value';
  onTestFinished(() => void delete process.env['OCTOIPC_POPEN_TEST']);
  expect(await started('echo $OCTOIPC_POPEN_TEST').text()).toBe('value\n');
  delete process.env['OCTOIPC_POPEN_TEST'];
  expect(await started('echo ${OCTOIPC_POPEN_TEST-unset}').text()).toBe('unset\n');
});

test('cwd is where it starts, and where a relative program is looked for', async () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'here'), '#!/bin/sh\npwd\n', { mode: 0o700 });
  expect((await started(['./here'], 'r', { cwd }).text()).trim()).toContain(cwd);
});

test('POPEN-039: a script without #! is run by the shell, a program that is being written is ETXTBSY', async () => {
  const path = folder();
  const script = join(path, 'script');
  writeFileSync(script, 'echo "$0: $1, $2"\n', { mode: 0o700 });
  expect(await started([script, 'a b', 'c']).text()).toBe(`${script}: a b, c\n`);
  const busy = join(path, 'busy');
  writeFileSync(busy, spawnSync('cat', ['/bin/true'], { maxBuffer: 1 << 24 }).stdout, {
    mode: 0o700,
  });
  const fd = openSync(busy, 'r+');
  try {
    expect(await refused([busy])).toMatchObject({ code: 'ETXTBSY' });
  } finally {
    closeSync(fd);
  }
});

test('POPEN-030: RLIMIT_NPROC reached throws EAGAIN, and leaves no descriptor', async (context) => {
  const script = new URL('fixtures/exhausted.mjs', import.meta.url).pathname;
  const why = whyNoStranger(65_533, script);
  context.skip(why !== undefined, why);
  const peer = Peer.start('setpriv', [...asUser(65_533), process.execPath, script, 'nproc']);
  expect(await peer.report()).toEqual({ code: 'EAGAIN', syscall: 'clone', left: 0 });
});

test('EMFILE with few descriptors left, each number of them, is typed and leaves neither descriptor nor process', async () => {
  const script = new URL('fixtures/exhausted.mjs', import.meta.url).pathname;
  const line = `ulimit -n 64 && exec "${process.execPath}" "${script}" nofile`;
  const peer = Peer.start('sh', ['-c', line]);
  const results =
    await peer.report<{ free: number; outcome: string; left: number; more: number }[]>();
  expect(results.length).toBeGreaterThan(10);
  for (const { free, outcome, left, more } of results) {
    expect(left, `${free}: ${outcome}`).toBe(free);
    expect(more, `processes, ${free}: ${outcome}`).toBe(outcome === 'started' ? 1 : 0);
    expect(['EMFILE', 'started']).toContain(outcome);
  }
  expect(results[1]!.outcome).toBe('EMFILE');
  expect(results.at(-1)!.outcome).toBe('started');
});
