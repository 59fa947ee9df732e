import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';

import { loadBinding } from '@octoipc/core/kit';
import { openProcess, rt, send, watch, type ProcessHandle } from '@octoipc/signal';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { outside } from './outside.js';
import { failure, gonePid } from './program.js';

const opened = (pid: number): ProcessHandle => {
  const handle = openProcess(pid);
  onTestFinished(() => handle.close());
  return handle;
};

test.each([
  ['exit 0', { code: 0, signal: null }, [0, null]],
  ['exit 7', { code: 7, signal: null }, [7, null]],
  ['kill -TERM $$', { code: null, signal: 'SIGTERM' }, [null, 'SIGTERM']],
  // Node takes this for success.
  [`kill -${outside(rt(2))} $$`, { code: null, signal: 'SIGRTMIN+2' }, [0, null]],
] as const)(
  'SIG-055 SIG-041: ProcessHandle.exited tells how a child has ended that does %s, and child_process, too',
  async (does, expected, seenByNode) => {
    const child = spawn('sh', ['-c', `read line; ${does}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const handle = opened(child.pid ?? 0);
    expect(handle.alive).toBe(true);
    const { exited } = handle;
    const told = once(child, 'exit');
    child.stdin.end('go\n');
    expect(await exited).toEqual(expected);
    expect(handle.alive).toBe(false);
    expect(await told).toEqual(seenByNode);
    expect(await handle.exited).toEqual(expected);
    expect(() => handle.send('SIGUSR2')).toThrow(failure({ code: 'ESRCH' }));
  },
);

test('ProcessHandle.exited rejects where poll fails, and is asked anew then', async () => {
  const child = spawn('sh', ['-c', 'read line; exit 7'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const handle = opened(child.pid ?? 0);
  const manifest = createRequire(import.meta.url).resolve('../package.json');
  // The very object whose functions the package calls.
  const native = loadBinding<{ alive(fd: number): number }>(manifest, 'signal');
  const { alive } = native;
  onTestFinished(() => void (native.alive = alive));
  native.alive = () => -constants.errno.ENOMEM;
  await expect(handle.exited).rejects.toThrow(failure({ code: 'ENOMEM' }));
  native.alive = alive;
  const { exited } = handle;
  child.stdin.end('go\n');
  expect(await exited).toEqual({ code: 7, signal: null });
});

test('ProcessHandle.exited tells how a hundred children have ended that end at once', async () => {
  const children = Array.from({ length: 100 }, (_, i) => {
    const child = spawn('sh', ['-c', `read line; exit ${i}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    return { child, handle: opened(child.pid ?? 0), told: once(child, 'exit') };
  });
  const exits = children.map(({ handle }) => handle.exited);
  for (const { child } of children) child.stdin.end('go\n');
  const codes = (await Promise.all(exits)).map((exit) => exit?.code);
  expect(codes).toEqual(children.map((_, i) => i));
  expect((await Promise.all(children.map(({ told }) => told))).map(([code]) => code)).toEqual(
    codes,
  );
});

test('SIG-042: a handle reaches its process, and never one that got its number since', async () => {
  const child = Peer.start('sleep', ['600']);
  const handle = opened(child.pid);
  send(handle, 'SIGTERM');
  expect((await child.ended).signal).toBe('SIGTERM');
  expect(() => send(handle, 'SIGTERM')).toThrow(failure({ code: 'ESRCH', target: child.pid }));
  expect(() => handle.send('SIGTERM', { value: 1 })).toThrow(failure({ code: 'ESRCH' }));
});

test('SIG-042: a handle gives ESRCH when another process has its number, and that one is untouched', async (context) => {
  const script = new URL('./fixtures/recycled.mjs', import.meta.url).pathname;
  const args = ['--pid', '--fork', '--kill-child', '--mount-proc', process.execPath, script];
  const peer = Peer.start('unshare', args);
  const { code, stdout, stderr } = await peer.ended.catch((error: Error) => ({
    code: 77,
    stdout: '',
    stderr: error.message,
  }));
  // 1: what unshare(1) ends with; the program that it starts has always said something by then.
  if (code === 77 || (code === 1 && stdout === '' && stderr.startsWith('unshare:'))) {
    context.skip(`numbers of processes cannot be given twice here: ${stderr.trim()}`);
  }
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    same: true,
    alive: false,
    refused: ['ESRCH', 'ESRCH'],
    newcomer: 'untouched',
  });
});

test('SIG-041: exited is null for what is no child of this process', async () => {
  const shell = Peer.start('sh', ['-c', 'sleep 600 & echo $!; wait']);
  const handle = opened(Number(await shell.line()));
  expect(handle.alive).toBe(true);
  const { exited } = handle;
  handle.send('SIGKILL');
  expect(await exited).toBeNull();
});

test('SIG-041: openProcess() gives ESRCH for one that is gone, and refuses what is no pid', async () => {
  const gone = await gonePid();
  expect(() => openProcess(gone)).toThrow(failure({ code: 'ESRCH', target: gone }));
  for (const pid of [0, -1, 1.5, NaN, 2 ** 31]) {
    expect(() => openProcess(pid)).toThrow(failure({ code: 'ERR_OUT_OF_RANGE' }));
  }
  expect(() => openProcess('1' as never)).toThrow(failure({ code: 'ERR_INVALID_ARG_TYPE' }));
  const thread = readdirSync('/proc/self/task').find((id) => Number(id) !== process.pid);
  expect(() => openProcess(Number(thread))).toThrow(failure({ code: 'EINVAL' }));
});

test('SIG-041: its descriptor is close-on-exec, and closed once', () => {
  const handle = openProcess(process.pid);
  const flags = /flags:\s*(\d+)/.exec(
    readFileSync(`/proc/self/fdinfo/${handle.fd}`, 'latin1'),
  )?.[1];
  expect(Number.parseInt(flags ?? '0', 8) & 0o2000000).not.toBe(0);
  handle.close();
  handle.close();
  expect(handle.closed).toBe(true);
  for (const use of [() => handle.alive, () => handle.fd, () => handle.send('SIGUSR2')]) {
    expect(use).toThrow(failure({ code: 'ERR_CLOSED' }));
  }
});

test('close() rejects a pending exited with ERR_CLOSED, and a later one', async () => {
  const handle = opened(process.pid);
  const { exited } = handle;
  handle.close();
  await expect(exited).rejects.toThrow(failure({ code: 'ERR_CLOSED' }));
  const other = opened(process.pid);
  other.close();
  await expect(other.exited).rejects.toThrow(failure({ code: 'ERR_CLOSED' }));
});

const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const STRANGER = `
  const { openProcess, send } = await import('${new URL('../dist/index.js', import.meta.url).pathname}');
  const pid = ${process.pid};
  for (const attempt of [
    () => openProcess(pid).send('SIGUSR2'),
    () => openProcess(pid).send('SIGUSR2', { value: 1 }),
    () => send(pid, 'SIGUSR2'),
    () => send(pid, 'SIGRTMIN', { value: 1 }),
  ]) {
    try { attempt(); console.log('sent'); } catch (error) { console.log(error.code, error.errno); }
  }`;
const asNobody = (code: string): ReturnType<typeof spawnSync> =>
  spawnSync('setpriv', [...AS_NOBODY, process.execPath, '--input-type=module', '-e', code]);
const noStranger = asNobody(STRANGER).status !== 0;
if (noStranger) console.log('skipped: this user may not become another that reads these files');

test.skipIf(noStranger)(
  'SIG-005 SIG-013 SIG-043: send(), with a value or not, gives EPERM for a process of another user',
  () => {
    expect(String(asNobody(STRANGER).stdout)).toBe('EPERM -1\n'.repeat(4));
  },
);

test('SIG-039 SIG-049: SIGCHLD tells of a stop, a continuation and an end', async () => {
  using watcher = watch('SIGCHLD');
  const child = spawn('sleep', ['600']);
  const next = async (code: string): Promise<number | undefined> => {
    for (;;) {
      const info = await watcher.wait();
      if (info.pid === child.pid && info.codeName === code) return info.status;
    }
  };
  send(child.pid ?? 0, 'SIGSTOP');
  expect(await next('CLD_STOPPED')).toBe(19);
  expect(readFileSync(`/proc/${child.pid}/stat`, 'latin1')).toMatch(/\) T/);
  send(child.pid ?? 0, 'SIGCONT');
  expect(await next('CLD_CONTINUED')).toBe(18);
  const exited = once(child, 'exit');
  send(child.pid ?? 0, 'SIGTERM');
  expect(await next('CLD_KILLED')).toBe(15);
  expect(await exited).toEqual([null, 'SIGTERM']);
});
