import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { createPipe, PipeReader, splice } from '@octoipc/pipe';
import { pipeline, popen, popenSync } from '@octoipc/popen';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf } from '../../core/test/failure.js';
import { descriptors, flagsOf, until } from '../../core/test/proc.js';
import { opened } from '../../pipe/test/opened.js';
import { folder, started } from './started.js';

const numbers = (text: string): number[] => text.trim().split('\n').map(Number);

test('POPEN-015: a program has 0, 1, 2 and what was asked for, whatever is open here', async () => {
  opened();
  const held = started(['cat'], 'r+', { stderr: 'pipe' });
  // Not close-on-exec, as somebody else may open it.
  const leaky = spawn('sleep', ['600'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void leaky.kill());
  const inheritable = openSync('/dev/null', 'r');
  onTestFinished(() => closeSync(inheritable));
  // ls itself has the directory open that it lists.
  const list = numbers(await started(['ls', '/proc/self/fd']).text());
  expect(list.filter((fd) => fd < 3)).toEqual([0, 1, 2]);
  expect(list.length).toBe(4);
  const more = await started(['ls', '/proc/self/fd'], 'r', { fds: { 7: inheritable } }).text();
  expect(numbers(more)).toContain(7);
  expect(numbers(more).length).toBe(5);
  expect(numbers(popenSync(['ls', '/proc/self/fd']).stdout.toString()).length).toBe(4);
  expect(held.status).toBeNull();
});

test('POPEN-015: not even a descriptor that is not close-on-exec gets through', async () => {
  const script = new URL('fixtures/inheritable.py', import.meta.url).pathname;
  const python = started(['python3', script, process.execPath], 'r');
  expect(numbers(await python.text()).length).toBe(4);
});

test('POPEN-016: our ends are close-on-exec from birth', async () => {
  const CLOEXEC = 0o2000000;
  const program = started(['cat'], 'r+', { stderr: 'pipe' });
  const { stdin, stdout, stderr, handle } = program;
  for (const { fd } of [stdin, stdout, stderr!, handle]) {
    expect(flagsOf(fd) & CLOEXEC).toBe(CLOEXEC);
  }
});

test('POPEN-017: a second program does not hold the first one’s pipe', async () => {
  const first = started(['cat'], 'r+');
  const second = started(['cat'], 'r+');
  await first.end('x');
  expect(await first.text()).toBe('x');
  expect(second.status).toBeNull();
});

test.each<[string, () => Promise<unknown>]>([
  ['lines() with check', () => drained(popen('echo a', 'r', { check: true }).lines())],
  ['lines() of a failure', () => drained(popen('exit 2', 'r', { check: true }).lines())],
  ['lines() after a timeout', () => drained(popen('sleep 600', 'r', { timeout: 20 }).lines())],
  ['iteration with check', () => drained(popen('echo a', 'r', { check: true }))],
  ['lines() of popen.sh', () => drained(popen.sh`echo a`.lines({ check: true }))],
  ['lines() of a pipeline', () => drained(pipeline(['echo', 'cat'], 'r', { check: true }).lines())],
  [
    'a pipeline that had no time',
    () => drained(pipeline(['sleep 600', 'cat'], 'r', { timeout: 20 })),
  ],
  [
    'a stream that is destroyed',
    async () => {
      const program = popen(['yes'], 'r+', { check: true });
      const duplex = program.toDuplex();
      duplex.on('error', () => {});
      duplex.destroy();
      expect(await program.exited).toMatchObject({ signal: 'SIGPIPE' });
    },
  ],
])('no descriptor is left by %s', async (_what, run) => {
  // What is opened once and kept.
  await run();
  const before = descriptors().size;
  await run();
  await until(() => descriptors().size <= before);
});

/** Reads to the end, or to a failure. */
async function drained(said: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of said);
  } catch {
    // How it ends is another test's.
  }
}

test('POPEN-034: fds gives descriptors under the numbers that are asked for, whatever those are here', async () => {
  const [one, two] = [opened(), opened()];
  one.writer.writeSync('one');
  two.writer.writeSync('two');
  one.writer.close();
  two.writer.close();
  // Each under the number that the other one has, so a plain dup2 would lose one.
  const fds = { [one.reader.fd]: two.reader, [two.reader.fd]: one.reader, 200: one.reader };
  const program = started(
    ['bash', '-c', `cat <&${one.reader.fd}; echo; cat <&${two.reader.fd}; echo; ls /proc/$$/fd`],
    'r',
    { fds },
  );
  const lines = (await program.text()).trim().split('\n');
  expect(lines.slice(0, 2)).toEqual(['two', 'one']);
  expect(lines).toContain('200');
});

test('POPEN-034: a non-blocking pipe of ours arrives in blocking mode, and ours stays as it was', async () => {
  const pipe = opened();
  const before = flagsOf(pipe.reader.fd);
  const program = started('read line <&3; echo "got $line"; head -c 100000 /dev/zero >&4', 'r', {
    fds: { 3: pipe.reader, 4: pipe.writer },
  });
  pipe.writer.writeSync('hello\n');
  expect((await program.lines().next()).value).toBe('got hello');
  expect(flagsOf(pipe.reader.fd)).toBe(before);
  let length = 0;
  while (length < 100_000) length += (await pipe.reader.read())!.length;
  expect(await program.close()).toMatchObject({ ok: true });
});

test('POPEN-034: packet mode arrives with the pipe', async () => {
  const pipe = opened({ packet: true });
  const program = started(['sh', '-c', 'head -c 3 <&3; echo; head -c 3 <&3'], 'r', {
    fds: { 3: pipe.reader },
  });
  pipe.writer.writeSync('first');
  pipe.writer.writeSync('second');
  expect(await program.text()).toBe('fir\nsec');
});

test('POPEN-034: files, FileHandles and 0 to 2 can be redirected', async () => {
  const file = join(folder(), 'file');
  await writeFile(file, 'from a file');
  const handle = await open(file);
  onTestFinished(() => handle.close());
  expect(await started(['cat'], 'r', { fds: { 0: handle } }).text()).toBe('from a file');
  const log = openSync(join(folder(), 'log'), 'w+');
  onTestFinished(() => closeSync(log));
  expect(await started('echo out; echo err >&2', 'r', { fds: { 2: log } }).text()).toBe('out\n');
  expect(readFileSync(log, 'utf8')).toBe('');
  expect(readFileSync(`/proc/self/fd/${log}`, 'utf8')).toBe('err\n');
  expect((await started('echo log', 'w', { fds: { 1: log } }).close()).ok).toBe(true);
  expect(readFileSync(`/proc/self/fd/${log}`, 'utf8')).toBe('err\nlog\n');
});

test('the output of one program is the input of another, by its handle', async () => {
  const source = started(['printf', 'b\na\n']);
  const sort = started(['sort'], 'r', { fds: { 0: source.stdout! } });
  source.stdout!.close();
  expect(await sort.text()).toBe('a\nb\n');
  expect(await source.close()).toMatchObject({ ok: true });
});

test('splice() refuses a stderr that was read ahead, until that was read', async () => {
  const to = opened();
  const program = started('echo ahead >&2', 'r', { stderr: 'pipe' });
  await program.text();
  expect(await codeOf(() => splice(program.stderr!, to.writer))).toBe('EBUSY');
  expect(String(program.stderr!.tryRead())).toBe('ahead\n');
  expect(await splice(program.stderr!, to.writer)).toBe(0);
});

test('release() gives our end away, in blocking mode', async () => {
  const NONBLOCK = 0o4000;
  const program = started(['cat'], 'r+');
  expect(flagsOf(program.stdin.fd) & NONBLOCK).toBe(NONBLOCK);
  const fd = program.stdin.release();
  expect(flagsOf(fd) & NONBLOCK).toBe(0);
  closeSync(fd);
  const out = program.stdout.release();
  expect(flagsOf(out) & NONBLOCK).toBe(0);
  const reader = PipeReader.fromFd(out);
  expect(await reader.readAll()).toHaveLength(0);
  reader.close();
});

test('fds that clash, are not open, or are none are refused', async () => {
  const { reader } = createPipe();
  const closed = createPipe();
  closed.close();
  const refused = (fds: object, options = {}) =>
    codeNow(() => popen(['true'], 'r', { fds: fds as {}, ...options }));
  expect(refused({ 1: reader })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ 2: reader }, { stderr: 'pipe' })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ 2: reader }, { stderr: 'inherit' })).toBe('ERR_INVALID_ARG_VALUE');
  expect(refused({ 3: 12_345 })).toBe('EBADF');
  expect(refused({ 3: closed.reader })).toBe('ERR_CLOSED');
  expect(refused({ 256: reader })).toBe('ERR_OUT_OF_RANGE');
  expect(refused({ '-1': reader })).toBe('ERR_INVALID_ARG_TYPE');
  expect(refused({ 3: -1 })).toBe('ERR_OUT_OF_RANGE');
  for (const wrong of [null, 'x', {}, true, []]) {
    expect(refused({ 3: wrong })).toBe('ERR_INVALID_ARG_TYPE');
  }
  expect(await codeOf(() => popen(['true'], 'r', { fds: { 3: 12_345 } }))).toBe('EBADF');
  reader.close();
});

test('descriptors are back to where they were after programs in every mode', async () => {
  const round = async (): Promise<void> => {
    await started('cat', 'r+', { stderr: 'pipe' }).close();
    await started('true', 'w', { stderr: 'ignore' }).close();
    await started('echo', 'r', { check: true, timeout: 9999 }).text();
    popenSync('cat; echo >&2', { input: 'x' });
  };
  await round();
  const before = [...descriptors().keys()];
  for (let i = 0; i < 30; i++) await round();
  expect([...descriptors().keys()].filter((fd) => !before.includes(fd))).toEqual([]);
  expect(readdirSync('/proc/self/task').length).toBeGreaterThan(0);
});
