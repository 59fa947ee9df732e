import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PosixSemaphore, SysvSemaphoreSet } from '@octoipc/sem';
import { SharedMemory } from '@octoipc/shm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, isPending, mutex, semaphore, set } from './objects.js';

const folder = mkdtempSync(join(tmpdir(), 'octoipc-sem-'));
const path = (file: string): string => fileURLToPath(new URL(`fixtures/${file}`, import.meta.url));
const missing = (tool: string): boolean => {
  const lacks = spawnSync(tool, ['--version']).error !== undefined;
  if (lacks) console.log(`skipped: ${tool} is not installed`);
  return lacks;
};
const noC = missing('cc');

beforeAll(() => {
  if (noC) return;
  for (const name of ['lock-peer', 'sem-peer']) {
    const flags = ['-O1', '-Wall', '-Werror', '-pthread'];
    execFileSync('cc', [...flags, '-o', join(folder, name), path(`${name}.c`)]);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const PYTHON = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.sem_open.restype = ctypes.c_void_p
name = sys.argv[1].encode()
sem = ctypes.c_void_p(libc.sem_open(name, os.O_CREAT, 0o600, 2) if sys.argv[2] == "make" else libc.sem_open(name, 0))
if sys.argv[2] == "wait":
    print("waiting", flush=True)
    libc.sem_wait(sem)
    print("got it", flush=True)
elif sys.argv[2] == "post":
    libc.sem_post(sem)
value = ctypes.c_int()
libc.sem_getvalue(sem, ctypes.byref(value))
print(value.value)
`;

describe.skipIf(missing('python3'))("python3's ctypes", () => {
  const python = (...args: string[]): Peer => Peer.start('python3', ['-c', PYTHON, ...args]);

  test('SEM-012 SEM-017: waits for permits of ours, and posts some', async () => {
    const name = freshName();
    const made = semaphore({}, name);
    const waits = python(name, 'wait');
    await waits.line();
    made.release();
    expect(await waits.line()).toBe('got it');
    const wait = made.acquire();
    expect(await isPending(wait)).toBe(true);
    await python(name, 'post').ended;
    await wait;
  });

  test('SEM-001: makes a semaphore that we open', async () => {
    const name = freshName();
    await python(name, 'make').ended;
    const made = semaphore({}, name);
    expect(made.value).toBe(2);
    made.acquireSync();
    expect(made.value).toBe(1);
  });
});

describe.skipIf(noC)('C', () => {
  test('SEM-014 SEM-032: shares a semaphore with Node, each waiting for the other 500 times', async () => {
    const [here, there] = [freshName(), freshName()];
    const mine = semaphore({}, here);
    const theirs = semaphore({}, there);
    const peer = Peer.start(join(folder, 'sem-peer'), [there, here, '500']);
    for (let i = 0; i < 250; i++) {
      theirs.release();
      await mine.acquire();
    }
    for (let i = 0; i < 250; i++) {
      theirs.release();
      mine.acquireSync();
    }
    expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
    expect([mine.value, theirs.value]).toEqual([0, 0]);
  });

  const lockPeer = (...args: string[]): Peer => Peer.start(join(folder, 'lock-peer'), args);

  test('FUTEX-004: holds and awaits a mutex, by docs/layout.md alone', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const peer = lockPeer('hold', name);
    expect(await peer.line()).toBe('locked, 0 died');
    expect(made.owner).toEqual({ pid: peer.pid, alive: true });
    expect(made.tryLock()).toBeNull();
    const wait = made.lock();
    expect(await isPending(wait)).toBe(true);
    peer.tell('go');
    const guard = await wait;
    expect(guard.recovered).toBeNull();
    const another = lockPeer('hold', name);
    while (made.waiters === 0) await new Promise((resolve) => setImmediate(resolve));
    guard.unlock();
    expect(await another.line()).toBe('locked, 0 died');
  });

  test('each learns of the death of the other', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const peer = lockPeer('hold', name);
    await peer.line();
    const wait = made.lock();
    peer.child.kill('SIGKILL');
    const guard = await wait;
    expect(guard.recovered).toEqual({ pid: peer.pid });
    guard.markConsistent();
    guard.unlock();
    const node = Peer.node(new URL('./fixtures/peer.mjs', import.meta.url), ['lock', name]);
    await node.line();
    const another = lockPeer('hold', name);
    while (made.waiters === 0) await new Promise((resolve) => setImmediate(resolve));
    node.child.kill('SIGKILL');
    expect(await another.line()).toBe(`locked, ${node.pid} died`);
    another.tell('go');
    await another.ended;
    made.tryLock()?.poison();
    expect(await lockPeer('hold', name).line()).toBe('beyond repair');
  });

  test('counts up with Node under the mutex, and dies now and then', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const counter = (): number => readFileSync(`/dev/shm/mutex.${name.slice(1)}`).readInt32LE(316);
    const peers = [lockPeer('count', name, '20000'), lockPeer('count', name, '20000')];
    for (let i = 0; i < 20; i++) {
      const victim = lockPeer('die', name, '10');
      const guard = await made.lock();
      if (guard.recovered) guard.markConsistent();
      guard.unlock();
      await victim.ended;
    }
    for (const peer of peers) expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
    expect(counter()).toBe(2 * 20_000 + 20 * 9);
  });
});

test.skipIf(missing('perl'))("SVSEM-007 SVSEM-008: perl's semop shares a set", async () => {
  const made = set(0);
  const take = `my $o = pack("s!3", 0, -1, 0); semop(${made.id}, $o) or die $!; print "taken\\n"`;
  const peer = Peer.start('perl', ['-e', take]);
  await made.operate([{ index: 0, delta: 1 }]);
  expect(await peer.line()).toBe('taken');
  const wait = made.operate([{ index: 0, delta: -2 }]);
  execFileSync('perl', ['-e', `my $o = pack("s!3", 0, 2, 0); semop(${made.id}, $o) or die $!`]);
  await wait;
});

test('ipcmk(1) makes what fromId() opens, and ipcrm(1) ends its waits', async () => {
  const made = execFileSync('ipcmk', ['-S', '2', '-p', '0600']).toString();
  const [id = ''] = /\d+/.exec(made) ?? [];
  using opened = SysvSemaphoreSet.fromId(Number(id));
  expect(opened.values).toEqual([0, 0]);
  const wait = opened.operate([{ index: 1, delta: -1 }]);
  execFileSync('ipcrm', ['-s', id]);
  await expect(wait).rejects.toMatchObject({ code: 'EIDRM' });
});

test('FUTEX-006: Atomics.notify() reaches nobody who sleeps in another process, a release does', async () => {
  using memory = SharedMemory.memfd({ size: 4096 });
  using made = PosixSemaphore.at(memory, 0, { init: true });
  const script = `
    import { SharedMemory } from '@octoipc/shm';
    import { PosixSemaphore } from '@octoipc/sem';
    const memory = SharedMemory.fromFd(3);
    const semaphore = PosixSemaphore.at(memory, 0);
    console.log(Atomics.notify(memory.view(Int32Array), 0));
    process.stdin.once('data', () => (semaphore.release(), process.exit()));`;
  const wait = made.acquire();
  const peer = Peer.start(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('..', import.meta.url),
    stdio: ['pipe', 'pipe', 'pipe', memory.fd],
  });
  expect(await peer.line()).toBe('0');
  expect(await isPending(wait)).toBe(true);
  peer.tell('release');
  await wait;
  await peer.ended;
});
