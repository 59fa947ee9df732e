import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { onSignal, openProcess, rt, send, watch, type SignalInfo } from '@octoipc/signal';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { failure, program } from './program.js';

/** Listens by `process.on` for the time of the test. */
function listen(signal: NodeJS.Signals): { heard: number; off(): void; next(): Promise<void> } {
  const { promise, resolve } = resolvers();
  const ears = {
    heard: 0,
    off: () => void process.off(signal, hear),
    next: () => (ears.heard > 0 ? Promise.resolve() : promise),
  };
  const hear = (): void => {
    ears.heard += 1;
    resolve();
  };
  process.on(signal, hear);
  onTestFinished(ears.off);
  return ears;
}

function resolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

const status = (name: string): string =>
  new RegExp(`${name}:\\s*(\\w+)`).exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';

// SIGUSR1 is what Node starts its inspector by, until process.on() or watch() takes it.
describe.each(['SIGUSR1', 'SIGUSR2'] as const)('process.on() beside watch(): %s', (signal) => {
  test('SIG-036 SIG-037: one before and one after watch() are told, and go on when the watcher is gone', async () => {
    const before = listen(signal);
    const watcher = watch([signal, 'SIGHUP']);
    const after = listen(signal);
    const other = listen('SIGHUP');
    send(process.pid, signal);
    send(process.pid, 'SIGHUP');
    expect([(await watcher.wait()).signal, (await watcher.wait()).signal]).toEqual([
      'SIGHUP',
      signal,
    ]);
    await Promise.all([before.next(), after.next(), other.next()]);
    watcher.close();
    send(process.pid, signal);
    while (before.heard < 2 || after.heard < 2) await turn();
    expect([before.heard, after.heard, other.heard]).toEqual([2, 2, 1]);
  });

  test('SIG-036: a watcher goes on when the listeners of process.on() are gone', async () => {
    const listener = listen(signal);
    using watcher = watch(signal);
    listener.off();
    send(process.pid, signal);
    expect((await watcher.wait()).signal).toBe(signal);
    expect(listener.heard).toBe(0);
  });
});

test('1,000 watchers added and removed leave handlers and masks as they were', () => {
  const before = ['SigCgt', 'SigIgn', 'SigBlk'].map(status);
  for (let i = 0; i < 1000; i++) watch(i % 2 === 0 ? 'SIGUSR2' : ['SIGRTMIN+11', 'SIGHUP']).close();
  expect(['SigCgt', 'SigIgn', 'SigBlk'].map(status)).toEqual(before);
});

test('several watchers of one signal are told of each, and onSignal() beside them', async () => {
  const seen: SignalInfo[] = [];
  using first = watch('SIGRTMIN+11');
  using second = watch(['SIGRTMIN+11', 'SIGRTMIN+12']);
  using listener = onSignal('SIGRTMIN+11', (info) => seen.push(info));
  send(process.pid, 'SIGRTMIN+11', { value: 1 });
  expect(await first.wait()).toBe(await second.wait());
  listener.close();
  send(process.pid, 'SIGRTMIN+11', { value: 2 });
  expect((await first.wait()).value).toBe(2);
  expect(seen.map(({ value }) => value)).toEqual([1]);
});

test('SIG-031 SIG-033 SIG-046: children of Node have a clean mask and nothing pending while signals are watched', () => {
  using watcher = watch(['SIGUSR2', 'SIGRTMIN+11']);
  send(process.pid, 'SIGRTMIN+11');
  const { stdout } = spawnSync('cat', ['/proc/self/status']);
  expect(watcher.closed).toBe(false);
  for (const name of ['SigBlk', 'SigIgn', 'SigPnd', 'ShdPnd']) {
    expect(String(stdout)).toMatch(new RegExp(`${name}:\\s*0000000000000000`));
  }
});

test('SIG-040: child_process learns of its children’s ends while SIGCHLD is watched', async () => {
  using watcher = watch('SIGCHLD');
  const child = spawn('sh', ['-c', 'exit 7']);
  expect(await once(child, 'exit')).toEqual([7, null]);
  expect(await watcher.wait()).toMatchObject({ codeName: 'CLD_EXITED', status: 7, pid: child.pid });
});

test('the end of the last child leaves SIGCHLD handled while it is watched, and not afterwards', async () => {
  const caught = (): boolean => (BigInt(`0x${status('SigCgt')}`) & (1n << 16n)) !== 0n;
  const watcher = watch('SIGCHLD');
  // At its default the kernel would discard what is pending, which may tell of just this end.
  await once(spawn('true'), 'exit');
  await turn();
  expect(caught()).toBe(true);
  watcher.close();
  expect([caught(), process.listenerCount('SIGCHLD')]).toEqual([false, 0]);
});

test('1,000 watchers added and removed leave no descriptor and no thread', async () => {
  const count = (folder: string): number => readdirSync(`/proc/self/${folder}`).length;
  const round = async (observe: boolean): Promise<void> => {
    const watchers = Array.from({ length: 1000 }, (_, i) => watch(rt(i % 30), { observe }));
    const waits = watchers.map((watcher) => watcher.wait().catch(() => undefined));
    for (const watcher of watchers) watcher.close();
    await Promise.all(waits);
  };
  // The first one opens what stays: the epoll set of this thread.
  await round(true);
  const before = [count('fd'), count('task'), ...['SigCgt', 'SigIgn', 'SigBlk'].map(status)];
  await round(false);
  await round(true);
  expect([count('fd'), count('task'), ...['SigCgt', 'SigIgn', 'SigBlk'].map(status)]).toEqual(
    before,
  );
});

test('a thread whose mask is not ours: under --prof, which has SIGPROF, all come, and there is a profile', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-prof-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'prof.log');
  const flags = ['--prof', '--no-logfile-per-isolate', `--logfile=${log}`];
  const script = fileURLToPath(new URL('./fixtures/program.mjs', import.meta.url));
  const peer = Peer.start(process.execPath, [...flags, script, 'profiled']);
  expect(await peer.line()).toBe('ready');
  for (let value = 0; value < 1000; value++) {
    send(peer.pid, 'SIGRTMIN+5', { value });
    if (value % 100 === 0) send(peer.pid, 'SIGUSR2');
  }
  expect(await peer.line()).toBe('1000 in order true');
  expect(await peer.line()).toBe('process.on before and after');
  expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(log, 'latin1')).toMatch(/^tick,/m);
});

test('a thread that was given signals for others, by a handler, sleeps when it waits: under --prof', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-prof-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const flags = ['--prof', '--no-logfile-per-isolate', `--logfile=${join(folder, 'prof.log')}`];
  const script = fileURLToPath(new URL('./fixtures/rung.mjs', import.meta.url));
  const peer = Peer.start(process.execPath, [...flags, script]);
  expect(await peer.line()).toBe('ready');
  // Apart, so that each finds the thread in its event loop.
  for (let value = 0; value < 300; value++) {
    send(peer.pid, 'SIGRTMIN+1', { value });
    await turn();
  }
  peer.tell('enough');
  const { code, count, computed } = JSON.parse(await peer.line()) as Record<string, unknown>;
  expect({ code, count }).toEqual({ code: 'ETIMEDOUT', count: 300 });
  expect(computed).toBeLessThan(0.5);
});

test('SIG-052: main thread, process.on() and workers are told; what ends with a worker disturbs nobody', async () => {
  const peer = await program('workers', 3);
  const heard = async (count: number): Promise<string[]> => {
    const lines: string[] = [];
    while (lines.length < count) lines.push(await peer.line());
    return lines.toSorted();
  };
  const workers = [0, 1, 2].map((i) => `worker${i} SI_USER`);
  send(peer.pid, 'SIGUSR2');
  expect(await heard(5)).toEqual(['main', 'process.on', ...workers]);
  peer.child.stdin?.write('terminate\n');
  expect(await peer.line()).toBe('terminated');
  send(peer.pid, 'SIGUSR2');
  expect(await heard(2)).toEqual(['main', 'process.on']);
  peer.child.stdin?.write('close\nmask\n');
  expect(await heard(2)).toEqual([`0 ${1 << 11}`, 'closed']);
  send(peer.pid, 'SIGUSR2');
  expect(await peer.line()).toBe('process.on');
});

test('a worker that watches and is busy does not keep a signal from process.on()', async () => {
  const peer = await program('busy-worker');
  send(peer.pid, 'SIGUSR2');
  expect(await peer.line()).toBe('process.on');
});

test.each([
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGINT'],
  ['SIGHUP', 'SIGHUP'],
  ['SIGUSR2', 'SIGUSR2'],
  // Node has no names of real-time signals, and takes such an end for success.
  ['SIGRTMIN+3', null],
] as const)(
  'observe: true tells of %s, and then it does what it does by default',
  async (signal, name) => {
    const peer = await program('observe', signal);
    using handle = openProcess(peer.pid);
    const { exited } = handle;
    send(peer.pid, signal);
    expect(await peer.line()).toBe(`observed ${signal}`);
    expect((await peer.ended).signal).toBe(name);
    expect(await exited).toEqual({ code: null, signal });
  },
);

test('observe: true lets SIGTERM end a process whose thread is busy for ever', async () => {
  const peer = await program('observe', 'SIGTERM', 'busy');
  send(peer.pid, 'SIGTERM');
  expect((await peer.ended).signal).toBe('SIGTERM');
});

test('observe: true leaves the signal to process.on(), and to another watcher', async () => {
  using watcher = watch('SIGUSR2', { observe: true });
  const listener = listen('SIGUSR2');
  send(process.pid, 'SIGUSR2');
  expect((await watcher.wait()).signal).toBe('SIGUSR2');
  await listener.next();
  listener.off();
  using other = watch('SIGUSR2');
  send(process.pid, 'SIGUSR2');
  expect((await other.wait()).signal).toBe('SIGUSR2');
});

test('what was there before is back when the last watcher is gone', async () => {
  for (const signal of ['SIGTERM', 'SIGUSR2', 'SIGINT'] as const) {
    const peer = await program('restored', signal);
    send(peer.pid, signal);
    expect((await peer.ended).signal).toBe(signal);
  }
});

test('SIGUSR1 starts Node’s inspector again when the last watcher is gone', async () => {
  const script = fileURLToPath(new URL('./fixtures/program.mjs', import.meta.url));
  const peer = Peer.start(process.execPath, [
    '--inspect-port=127.0.0.1:0',
    script,
    'restored',
    'SIGUSR1',
  ]);
  expect(await peer.line()).toBe('ready');
  expect(peer.stderr).toBe('');
  send(peer.pid, 'SIGUSR1');
  await peer.complains('Debugger listening on');
});

test('SIG-034: what cannot be caught, faults, and what the runtime uses are refused with a reason', () => {
  const refused = failure({ code: 'ERR_INVALID_ARG_VALUE' });
  const kept = ['SIGKILL', 'SIGSTOP', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'];
  for (const signal of [...kept, 'SIGPROF', 'SIGABRT', 'SIGIOT', 6, 32, 33]) {
    expect(() => watch(signal as 'SIGKILL')).toThrow(refused);
    expect(() => watch(['SIGUSR2', signal as 'SIGKILL'])).toThrow(refused);
    expect(() => watch(signal as 'SIGKILL', { observe: true })).toThrow(refused);
    expect(() => onSignal(signal as 'SIGKILL', () => undefined)).toThrow(refused);
  }
  expect(() => watch([])).toThrow(refused);
});

test.each([{}, { observe: true }])(
  'process.abort() ends by SIGABRT after a try to watch that, by watch(…, %j)',
  async (options) => {
    const script = fileURLToPath(new URL('./fixtures/program.mjs', import.meta.url));
    const args = [process.execPath, script, 'aborting', JSON.stringify(options)];
    const peer = Peer.start('sh', ['-c', 'ulimit -c 0; exec "$@"', 'sh', ...args]);
    expect((await peer.ended).signal).toBe('SIGABRT');
    expect(peer.stdout).toBe('ERR_INVALID_ARG_VALUE\n');
  },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
