import { rmSync, statSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { Mutex } from '@octoipc/sem';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, isPending, mutex, until } from './objects.js';

const fixture = new URL('./fixtures/peer.mjs', import.meta.url);
const code = (name: string) => expect.objectContaining({ code: name }) as Error;

describe('Mutex', () => {
  test('owner and waiters tell who has it, and how many threads wait', async () => {
    const name = freshName();
    const made = mutex({}, name);
    expect([made.owner, made.waiters]).toEqual([null, 0]);
    const guard = await made.lock();
    expect(made.owner).toEqual({ pid: process.pid, alive: true });
    expect(Mutex.list().find((one) => one.name === name)?.owner?.pid).toBe(process.pid);
    const peers = [1, 2, 3].map(() => Peer.node(fixture, ['wait', name]));
    await until(() => made.waiters === 3);
    guard.unlock();
    for (const peer of peers) expect(await peer.ended).toMatchObject({ code: 0 });
    expect([made.owner, made.waiters]).toEqual([null, 0]);
  });

  test('what this thread has: lockSync() is EDEADLK, tryLock() null, lock() queues', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const other = mutex({}, name);
    const guard = made.lockSync();
    for (const one of [made, other]) {
      expect(() => one.lockSync()).toThrow(code('EDEADLK'));
      expect(one.tryLock()).toBeNull();
    }
    const wait = other.lock();
    expect(await isPending(wait)).toBe(true);
    expect(() => other.lockSync()).toThrow(code('EBUSY'));
    guard.unlock();
    (await wait).unlock();
  });

  test('unlock() twice is EPERM, and takes the lock from nobody', async () => {
    const made = mutex();
    const guard = await made.lock();
    guard.unlock();
    const next = await made.lock();
    expect(() => guard.unlock()).toThrow(code('EPERM'));
    expect(() => guard.markConsistent()).toThrow(code('EPERM'));
    guard[Symbol.dispose]();
    expect([guard.held, next.held]).toEqual([false, true]);
  });

  test('a handle that is closed while it holds the lock leaves it as a dead owner', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const other = mutex({}, name);
    const guard = await made.lock();
    const wait = other.lock();
    made.close();
    const next = await wait;
    expect(next.recovered).toEqual({ pid: process.pid });
    next.markConsistent();
    expect(() => guard.unlock()).toThrow(code('ERR_CLOSED'));
  });

  test('after poison() all attempts are ENOTRECOVERABLE, those that wait too, until reset()', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const guard = await made.lock();
    const waits = [made.lock(), mutex({}, name).lock()];
    for (const wait of waits) expect(await isPending(wait)).toBe(true);
    guard.poison();
    for (const wait of waits) await expect(wait).rejects.toThrow(code('ENOTRECOVERABLE'));
    expect(() => made.tryLock()).toThrow(code('ENOTRECOVERABLE'));
    expect(() => made.lockSync()).toThrow(code('ENOTRECOVERABLE'));
    expect(Mutex.reset(name)).toBe(true);
    expect(Mutex.reset(name)).toBe(false);
    (await made.lock()).unlock();
  });

  test('recovered and unlocked without repair is ENOTRECOVERABLE', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const peer = Peer.node(fixture, ['lock', name]);
    await peer.line();
    peer.child.kill('SIGKILL');
    const guard = await made.lock();
    expect(guard.recovered).toEqual({ pid: peer.pid });
    guard.unlock();
    await expect(made.lock()).rejects.toThrow(code('ENOTRECOVERABLE'));
    Mutex.reset(name);
    expect((await made.lock()).recovered).toBeNull();
  });

  test('whoever recovers it and dies too is told of; the repair is still to be made', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const first = Peer.node(fixture, ['lock', name]);
    await first.line();
    first.child.kill('SIGKILL');
    const second = Peer.node(fixture, ['lock', name]);
    expect(await second.line()).toBe('locked');
    second.child.kill('SIGKILL');
    const guard = await made.lock();
    expect(guard.recovered).toEqual({ pid: second.pid });
    guard.markConsistent();
    guard.unlock();
    expect(made.tryLock()?.recovered).toBeNull();
  });

  test('a process that exits while it holds the lock has died', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const peer = Peer.node(fixture, ['lock', name]);
    await peer.line();
    const wait = made.lock();
    peer.tell('exit');
    const guard = await wait;
    expect(guard.recovered).toEqual({ pid: peer.pid });
    guard.markConsistent();
  });

  test('a worker that ends while it holds the lock has died; its process lives', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const peer = Peer.node(fixture, ['lock-in-worker', name]);
    await peer.line();
    const guard = await made.lock();
    expect(guard.recovered).toEqual({ pid: peer.pid });
    guard.markConsistent();
  });

  test('a worker that dies holding a lock in private memory has died, too', async () => {
    const memory = new SharedArrayBuffer(Mutex.byteLength);
    const made = Mutex.at(memory, 0, { init: true });
    onTestFinished(() => made.close());
    const script = `
      const { Mutex } = require('@octoipc/sem');
      const { workerData, parentPort } = require('worker_threads');
      globalThis.kept = [Mutex.at(workerData, 0)];
      kept.push(kept[0].lockSync());
      parentPort.postMessage('locked');
      setInterval(() => {}, 1000);`;
    const worker = new Worker(script, { eval: true, workerData: memory });
    await new Promise((resolve) => worker.once('message', resolve));
    const wait = made.lock();
    expect(await isPending(wait)).toBe(true);
    await worker.terminate();
    const guard = await wait;
    expect(guard.recovered).toEqual({ pid: process.pid });
    guard.markConsistent();
  });

  test('FUTEX-001 FUTEX-002: a wait that comes too late, or whose time is over, sleeps no longer', async () => {
    const made = mutex();
    const guard = await made.lock();
    await expect(made.lock({ timeout: 5 })).rejects.toThrow(code('ETIMEDOUT'));
    guard.unlock();
    (await made.lock({ timeout: 0 })).unlock();
  });

  test('FUTEX-003: blocking outlasts signals, SIGSTOP and SIGCONT', async () => {
    const name = freshName();
    const made = mutex({}, name);
    const guard = await made.lock();
    const peer = Peer.node(fixture, ['wait', name, 'sync']);
    await until(() => made.waiters === 1);
    for (const signal of ['SIGSTOP', 'SIGCONT', 'SIGWINCH'] as const) peer.child.kill(signal);
    guard.unlock();
    expect(await peer.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('1,000 waits: every second is aborted, the others are served in order', async () => {
    const made = mutex();
    const guard = await made.lock();
    const order: number[] = [];
    const aborts: AbortController[] = [];
    const waits = Array.from({ length: 1000 }, (_, index) => {
      const controller = new AbortController();
      aborts.push(controller);
      return made.lock({ signal: controller.signal }).then(
        (next) => {
          order.push(index);
          next.unlock();
        },
        () => {},
      );
    });
    for (let i = 0; i < 1000; i += 2) aborts[i]?.abort();
    guard.unlock();
    await Promise.all(waits);
    expect(order).toEqual(Array.from({ length: 500 }, (_, index) => 2 * index + 1));
  });

  test('waits for more locks than one system call takes', async () => {
    const memory = new SharedArrayBuffer(64 * 300);
    const locks = Array.from({ length: 300 }, (_, index) =>
      Mutex.at(memory, 64 * index, { init: true }),
    );
    onTestFinished(() => locks.forEach((lock) => lock.close()));
    const guards = locks.map((lock) => lock.lockSync());
    const waits = locks.map((lock) => lock.lock());
    for (const guard of guards.toReversed()) guard.unlock();
    for (const next of await Promise.all(waits)) next.unlock();
  });
});

describe('Mutex.open()', () => {
  test('takes names of 255 bytes, and lists them', () => {
    const name = `/${'n'.repeat(240)}-${process.pid}`.padEnd(255, 'x');
    mutex({}, name);
    mutex({}, name);
    expect(Mutex.list().some((one) => one.name === name)).toBe(true);
    expect(() => mutex({}, `${name}x`)).toThrow(code('ENAMETOOLONG'));
  });

  test('refuses files that are no mutex', () => {
    const name = freshName();
    const path = `/dev/shm/mutex.${name.slice(1)}`;
    writeFileSync(path, Buffer.alloc(4096, 1));
    onTestFinished(() => rmSync(path));
    expect(() => Mutex.open(name)).toThrow(code('EINVAL'));
    expect(Mutex.list().some((one) => one.name === name)).toBe(false);
    expect(statSync(path).size).toBe(4096);
  });
});

test('Mutex.at() refuses memory that is too small, misaligned or closed', () => {
  const memory = new SharedArrayBuffer(128);
  expect(() => Mutex.at(memory, 72, { init: true })).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => Mutex.at(memory, 12, { init: true })).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => Mutex.at(memory, 0)).toThrow(code('EINVAL'));
  expect(() => Mutex.at({ buffer: memory, closed: true }, 0)).toThrow(code('ERR_CLOSED'));
});
