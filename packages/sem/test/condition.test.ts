import { readFileSync } from 'node:fs';

import { Barrier, Condition, Mutex, RwLock, type BarrierOpenOptions } from '@octoipc/sem';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, isPending, mutex, named, unlinkIfThere, until } from './objects.js';

const fixture = new URL('./fixtures/peer.mjs', import.meta.url);
const code = (name: string) => expect.objectContaining({ code: name }) as Error;

function barrier(options: BarrierOpenOptions, name = freshName()): Barrier {
  const made = Barrier.open(name, { create: true, ...options });
  onTestFinished(() => {
    made.close();
    unlinkIfThere(Barrier, name);
  });
  return made;
}

describe('Condition', () => {
  test('wait() lets the mutex go and has it again; notify() wakes whom it was asked for, in order', async () => {
    const name = freshName();
    const lock = mutex({}, name);
    const condition = named(Condition, {}, name);
    const order: number[] = [];
    const waits = [0, 1, 2, 3].map(async (index) => {
      const guard = await lock.lock();
      await condition.wait(guard);
      expect(lock.owner?.pid).toBe(process.pid);
      order.push(index);
      guard.unlock();
    });
    await until(() => condition.waiters === 4);
    expect(condition.notify()).toBe(1);
    await waits[0];
    expect(condition.waiters).toBe(3);
    expect(condition.notify(2)).toBe(2);
    await Promise.all([waits[1], waits[2]]);
    expect(condition.notifyAll()).toBe(1);
    await Promise.all(waits);
    expect(condition.notify()).toBe(0);
    expect(order).toEqual([0, 1, 2, 3]);
  });

  test('a notification that has died with who had it goes to another, when the next one comes', async () => {
    const name = freshName();
    const lock = mutex({}, name);
    const condition = named(Condition, {}, name);
    const wait = async (): Promise<void> => {
      const guard = await lock.lock();
      await condition.wait(guard);
      guard.unlock();
    };
    const dying = Peer.node(fixture, ['condition', name]);
    expect(await dying.line()).toBe('waiting');
    const second = wait();
    await until(() => condition.waiters === 2);
    dying.child.kill('SIGSTOP');
    await until(() => / T /.test(readFileSync(`/proc/${dying.pid}/stat`, 'latin1')));
    expect(condition.notify()).toBe(1);
    dying.child.kill('SIGKILL');
    expect((await dying.ended).stdout).toBe('waiting\n');
    expect(condition.waiters).toBe(1);
    const third = wait();
    await second;
    expect(condition.waiters).toBe(1);
    expect(condition.notify()).toBe(1);
    await third;
  });

  test('notify() wakes who comes after one that gave up, whose place somebody else has already', async () => {
    const name = freshName();
    const lock = mutex({}, name);
    const condition = named(Condition, {}, name);
    const other = Condition.open(name);
    onTestFinished(() => other.close());
    const wait = async (on: Condition, signal?: AbortSignal): Promise<void> => {
      const guard = await lock.lock();
      await on.wait(guard, { signal }).finally(() => guard.unlock());
    };
    const controller = new AbortController();
    const first = wait(condition, controller.signal);
    const second = wait(condition);
    await until(() => condition.waiters === 2);
    controller.abort();
    // The slot of the first is free, and this one has it before anybody looks again.
    const third = wait(other);
    await expect(first).rejects.toBe(controller.signal.reason);
    await until(() => condition.waiters === 2);
    expect(condition.notify()).toBe(1);
    await second;
    expect(condition.notify()).toBe(1);
    await third;
  });

  test('wait() that is late or aborted has the mutex again, and takes no notification', async () => {
    const lock = mutex();
    const condition = named(Condition);
    const guard = await lock.lock();
    await expect(condition.wait(guard, { timeout: 5 })).rejects.toThrow(code('ETIMEDOUT'));
    expect(guard.held).toBe(true);
    const controller = new AbortController();
    const wait = condition.wait(guard, { signal: controller.signal });
    const other = await lock.lock();
    controller.abort();
    expect(await isPending(wait)).toBe(true);
    other.unlock();
    await expect(wait).rejects.toBe(controller.signal.reason);
    expect([guard.held, condition.waiters]).toEqual([true, 0]);
    await expect(condition.wait(guard, { signal: controller.signal })).rejects.toBe(
      controller.signal.reason,
    );
    expect(() => condition.waitSync(guard, { timeout: 5 })).toThrow(code('ETIMEDOUT'));
    expect(guard.held).toBe(true);
    guard.unlock();
  });

  test('waitSync() is EBUSY where locks of the same handle wait, and lets nothing go', async () => {
    const lock = mutex();
    const condition = named(Condition);
    const guard = await lock.lock();
    const next = lock.lock();
    expect(() => condition.waitSync(guard, { timeout: 0 })).toThrow(code('EBUSY'));
    expect([guard.held, condition.waiters]).toEqual([true, 0]);
    guard.unlock();
    const held = await next;
    const waiting = condition.wait(held);
    const other = await lock.lock();
    expect(() => condition.waitSync(other, { timeout: 0 })).toThrow(code('EBUSY'));
    expect([other.held, condition.notifyAll()]).toEqual([true, 1]);
    other.unlock();
    (await waiting).unlock();
  });

  test('a waiter that is killed takes no notification with it', async () => {
    const name = freshName();
    mutex({}, name);
    const condition = named(Condition, {}, name);
    const peers: Peer[] = [];
    for (let i = 0; i < 2; i++) {
      const peer = Peer.node(fixture, ['condition', name]);
      await peer.line();
      peers.push(peer);
    }
    peers[0]?.child.kill('SIGKILL');
    await peers[0]?.ended;
    expect(condition.waiters).toBe(1);
    expect(condition.notify()).toBe(1);
    expect(await peers[1]?.line()).toBe('notified');
  });

  test('wait() of a guard that holds nothing, or of another lock, is refused', async () => {
    const lock = mutex();
    const condition = named(Condition);
    const guard = await lock.lock();
    guard.unlock();
    await expect(condition.wait(guard)).rejects.toThrow(code('EPERM'));
    await expect(condition.wait({} as never)).rejects.toThrow(code('ERR_INVALID_ARG_TYPE'));
    const table = named(RwLock);
    using writing = await table.writeLock();
    await expect(condition.wait(writing)).rejects.toThrow(code('ERR_INVALID_ARG_TYPE'));
    expect(() => condition.notify(0)).toThrow(code('ERR_OUT_OF_RANGE'));
  });

  test('close() rejects those who wait, and the mutex is theirs again', async () => {
    const lock = mutex();
    const condition = named(Condition);
    const guard = await lock.lock();
    const wait = condition.wait(guard);
    condition.close();
    await expect(wait).rejects.toThrow(code('ERR_CLOSED'));
    expect(guard.held).toBe(true);
    expect(() => condition.notify()).toThrow(code('ERR_CLOSED'));
  });

  test('at() is in memory that others see', async () => {
    const memory = new SharedArrayBuffer(Condition.byteLength + 64);
    const condition = Condition.at(memory, 64, { init: true });
    const lock = Mutex.at(memory, 0, { init: true });
    onTestFinished(() => [condition, lock].forEach((one) => one.close()));
    const guard = await lock.lock();
    const wait = condition.wait(guard);
    using other = Condition.at(memory, 64);
    expect(other.notify()).toBe(1);
    await wait;
  });
});

describe('Barrier', () => {
  test('arrive() waits for all; one is told that it came last; then the next round begins', async () => {
    const name = freshName();
    const made = barrier({ parties: 3 }, name);
    for (let round = 0; round < 3; round++) {
      const peers = [1, 2].map(() => Peer.node(fixture, ['arrive', name]));
      for (const peer of peers) expect(await peer.line()).toBe('arrived');
      expect(made.arrived).toBe(2);
      expect(await made.arrive()).toBe(true);
      for (const peer of peers) expect(await peer.line()).toBe('false');
    }
  });

  test('who gives up, and who is killed, has not arrived', async () => {
    const name = freshName();
    const made = barrier({ parties: 2 }, name);
    await expect(made.arrive({ timeout: 5 })).rejects.toThrow(code('ETIMEDOUT'));
    expect(() => made.arriveSync({ timeout: 5 })).toThrow(code('ETIMEDOUT'));
    const peer = Peer.node(fixture, ['arrive', name]);
    await peer.line();
    expect(made.arrived).toBe(1);
    peer.child.kill('SIGKILL');
    await peer.ended;
    expect(made.arrived).toBe(0);
    const first = made.arrive();
    expect(await isPending(first)).toBe(true);
    expect(made.arriveSync()).toBe(true);
    expect(await first).toBe(false);
  });

  test('open() refuses another number of parties', () => {
    const name = freshName();
    barrier({ parties: 2 }, name);
    expect(() => barrier({ parties: 3 }, name)).toThrow(code('ERR_INVALID_ARG_VALUE'));
    expect(barrier({}, name).parties).toBe(2);
    expect(Barrier.list().find((one) => one.name === name)).toMatchObject({ parties: 2 });
    expect(() => barrier({ parties: 0 })).toThrow(code('ERR_OUT_OF_RANGE'));
  });

  test('close() rejects those who wait', async () => {
    const made = barrier({ parties: 2 });
    const wait = made.arrive();
    made.close();
    await expect(wait).rejects.toThrow(code('ERR_CLOSED'));
  });
});
