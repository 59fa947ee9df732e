import { rt, send, watch } from '@octoipc/signal';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { outside } from './outside.js';
import { program } from './program.js';

/** Sends values FROM to TO, trying again where the queue is full. */
const SENDER = `
import ctypes, sys, time
libc = ctypes.CDLL(None, use_errno=True)
said = []
def say(word):
    if not said: print(word, flush=True)
    said.append(word)
pid, first, last, *signals = map(int, sys.argv[1:])
for value in range(first, last):
    while libc.sigqueue(pid, signals[value % len(signals)], ctypes.c_void_p(value)) != 0:
        if ctypes.get_errno() != 11: raise OSError(ctypes.get_errno())
        say('full')
        time.sleep(0.001)
say('sent')
`;

const watcherOf = (...names: string[]): ReturnType<typeof watch> => {
  const watcher = watch(names as 'SIGINT'[]);
  onTestFinished(() => watcher.close());
  return watcher;
};

test('SIG-015 SIG-017: real-time signals come all, in order, lower numbers first, after standard ones', async () => {
  const watcher = watcherOf('SIGRTMIN+6', 'SIGRTMIN+5', 'SIGUSR2');
  for (let i = 0; i < 1000; i++) send(process.pid, 'SIGRTMIN+6', { value: i });
  for (let i = 0; i < 1000; i++) send(process.pid, 'SIGRTMIN+5', { value: i });
  send(process.pid, 'SIGUSR2');
  const seen: (number | undefined)[] = [];
  for (let i = 0; i < 2001; i++) seen.push((await watcher.wait()).value);
  const all = Array.from({ length: 1000 }, (_, i) => i);
  expect(seen).toEqual([undefined, ...all, ...all]);
});

test('SIG-016: a watcher that is full of real-time signals keeps a standard one, and merges the next', async () => {
  const watcher = watcherOf('SIGRTMIN+6', 'SIGUSR2');
  const quick = watcherOf('SIGRTMIN+6');
  const told = watcherOf('SIGUSR2');
  const count = 4200;
  for (let sent = 0; sent < count; sent++) {
    send(process.pid, 'SIGRTMIN+6', { value: sent });
    quick.tryWait();
  }
  for (let i = 0; i < 2; i++) {
    send(process.pid, 'SIGUSR2');
    await told.wait();
  }
  const seen: string[] = [];
  while (seen.length < count + 1) seen.push((await watcher.wait()).signal);
  expect(seen.filter((signal) => signal === 'SIGUSR2')).toHaveLength(1);
  expect(watcher.tryWait()).toBeUndefined();
});

test('SIG-016: standard signals are merged, and the first one is told of', async () => {
  const watcher = watcherOf('SIGUSR2');
  for (let i = 0; i < 100; i++) send(process.pid, 'SIGUSR2', { value: i });
  expect(await watcher.wait()).toMatchObject({ value: 0, coalesced: true });
  expect(watcher.tryWait()).toBeUndefined();
});

test('SIG-015: 100,000 signals that queue while the thread is busy, those beyond RLIMIT_SIGPENDING once there is room, come all, in order', async () => {
  const count = 100_000;
  const peer = await program('count', 'SIGRTMIN+7', count);
  const sender = Peer.start('python3', [
    '-c',
    SENDER,
    ...[peer.pid, 0, count, outside(rt(7))].map(String),
  ]);
  // The sender says it when they are all queued, or as many as RLIMIT_SIGPENDING allows.
  await sender.line();
  peer.child.stdin?.write('go\n');
  expect(await peer.report()).toEqual({ last: { [rt(7)]: count - 1 }, order: 0, left: [] });
  expect((await sender.ended).code).toBe(0);
});

test('SIG-017: of two real-time signals that queue while the thread is busy the lower come first', async () => {
  const peer = await program('count', 'SIGRTMIN+7,SIGRTMIN+8', 4000);
  const args = [peer.pid, 0, 4000, outside(rt(8)), outside(rt(7))].map(String);
  const sender = Peer.start('python3', ['-c', SENDER, ...args]);
  expect(await sender.line()).toBe('sent');
  peer.child.stdin?.write('go\n');
  expect(await peer.report()).toMatchObject({ order: 0, last: { [rt(7)]: 3999, [rt(8)]: 3998 } });
});

test('SIG-054: 10,000 signals of four senders at once are none lost, and each sender’s in order', async () => {
  const watcher = watcherOf('SIGRTMIN+7');
  const senders = [0, 1, 2, 3].map((i) => {
    const range = [process.pid, i * 10_000, i * 10_000 + 2500, outside(rt(7))].map(String);
    return Peer.start('python3', ['-c', SENDER, ...range]);
  });
  const next = [0, 10_000, 20_000, 30_000];
  for (let i = 0; i < 10_000; i++) {
    const { value = -1, pid } = await watcher.wait();
    const sender = Math.floor(value / 10_000);
    expect(value).toBe(next[sender]);
    expect(pid).toBe(senders[sender]?.pid);
    next[sender] = value + 1;
  }
  expect(watcher.tryWait()).toBeUndefined();
});

test('a watcher that nobody reads leaves the rest to the kernel, and others go on', async () => {
  const idle = watcherOf('SIGRTMIN+7');
  const other = watcherOf('SIGRTMIN+8');
  const count = 20_000;
  for (let i = 0; i < count; i++) send(process.pid, 'SIGRTMIN+7', { value: i });
  for (let i = 0; i < 100; i++) {
    send(process.pid, 'SIGRTMIN+8', { value: i });
    expect((await other.wait()).value).toBe(i);
  }
  for (let i = 0; i < count; i++) expect((await idle.wait()).value).toBe(i);
});
