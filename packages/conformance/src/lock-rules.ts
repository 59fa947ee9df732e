import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { Lock, LockAdapter } from './lock.js';
import { start, stillPending, throws } from './outcome.js';
import type { Scope } from './scope.js';
import { turns } from './turns.js';

/** Several handles of one new lock. */
export async function open(adapter: LockAdapter, scope: Scope, handles = 2): Promise<Lock[]> {
  const name = adapter.freshName();
  const locks: Lock[] = [];
  for (let i = 0; i < handles; i++) {
    locks.push(await adapter.open(name));
    if (i === 0) scope.defer(() => adapter.remove(name));
  }
  for (const lock of locks) scope.use(lock);
  return locks;
}

/** One holder at a time, within this process. */
export const lockRules: readonly Case<LockAdapter>[] = [
  {
    key: 'exclusive',
    ids: 'SEM-013 SEM-016',
    promise: 'tryLock() is null while any handle holds the lock, and gives it once it is released',
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one && two);
      const held = await one.lock();
      for (const lock of [one, two]) assert.equal(lock.tryLock(), null);
      held.release();
      const again = two.tryLock();
      assert.ok(again !== null, 'it is not free');
      assert.equal(one.tryLock(), null);
      again.release();
    },
  },
  {
    key: 'waits',
    ids: 'SEM-014 SEM-017',
    promise: 'lock() waits until the holder releases, of whichever handle',
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one && two);
      const held = await one.lock();
      const wait = start(() => two.lock());
      await stillPending(wait);
      held.release();
      (await wait.given()).release();
    },
  },
  {
    key: 'first-come',
    ids: '',
    promise: 'lock() of one handle is first come, first served',
    async run(adapter, scope) {
      const [one] = await open(adapter, scope, 1);
      assert.ok(one);
      const held = await one.lock();
      const order: number[] = [];
      const waits = Array.from({ length: 10 }, (_, index) =>
        start(async () => {
          const mine = await one.lock();
          order.push(index);
          await turns(1);
          mine.release();
        }),
      );
      await stillPending(...waits);
      held.release();
      for (const wait of waits) await wait.given();
      assert.deepEqual(
        order,
        waits.map((_, index) => index),
      );
    },
  },
  {
    key: 'critical-section',
    ids: '',
    promise: 'lock() lets one in at a time, whichever handle it came by',
    async run(adapter, scope) {
      const locks = await open(adapter, scope, 3);
      let inside = 0;
      let count = 0;
      const enter = async (lock: Lock): Promise<void> => {
        const held = await lock.lock();
        inside += 1;
        assert.equal(inside, 1, 'two are inside');
        const seen = count;
        await turns(1);
        count = seen + 1;
        inside -= 1;
        held.release();
      };
      const entries = Array.from({ length: 30 }, (_, index) =>
        start(() => enter(locks[index % locks.length]!)),
      );
      for (const entry of entries) await entry.given();
      assert.equal(count, 30);
    },
  },
  {
    key: 'released-once',
    ids: '',
    promise: 'release() twice releases once',
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one && two);
      const held = await one.lock();
      held.release();
      const next = await two.lock();
      held.release();
      assert.equal(one.tryLock(), null, 'the second release took the lock from its holder');
      next.release();
    },
  },
  {
    key: 'sync',
    ids: 'SEM-020',
    promise: 'lockSync() takes what is free, and throws ETIMEDOUT while another handle holds it',
    needs: ['sync'],
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one?.lockSync && two?.lockSync, 'there is no lockSync, nor does lacks say so');
      const held = one.lockSync();
      throws(() => two.lockSync?.({ timeout: 0 }), 'ETIMEDOUT');
      throws(() => two.lockSync?.({ timeout: 10 }), 'ETIMEDOUT');
      held.release();
      two.lockSync({ timeout: 0 }).release();
    },
  },
  {
    key: 'with-lock',
    ids: '',
    promise: 'withLock() holds the lock while its function runs, and releases it if that throws',
    needs: ['withLock'],
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one?.withLock && two, 'there is no withLock, nor does lacks say so');
      const result = await one.withLock(async () => {
        await turns(1);
        assert.equal(two.tryLock(), null);
        return 'result';
      });
      assert.equal(result, 'result');
      const reason = new Error('on purpose');
      const failing = one.withLock;
      const wait = start(() => failing.call(one, () => Promise.reject(reason)));
      assert.equal(await wait.rejection(), reason);
      const next = two.tryLock();
      assert.ok(next !== null, 'it was not released');
      next.release();
    },
  },
];
