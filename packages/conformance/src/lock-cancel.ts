import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { LockAdapter } from './lock.js';
import { open } from './lock-rules.js';
import { assertIpcError, rejects, start, stillPending, throws } from './outcome.js';
import { turns } from './turns.js';

/** A wait for the lock that ends early has not taken it. */
export const lockCancelling: readonly Case<LockAdapter>[] = [
  {
    key: 'cancelled',
    ids: 'SEM-038',
    promise: 'lock() that was aborted or timed out has not taken the lock',
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one && two);
      const held = await one.lock();
      const controller = new AbortController();
      const reason = new Error('enough');
      const aborted = start(() => two.lock({ signal: controller.signal }));
      const late = start(() => two.lock({ timeout: 5 }));
      await stillPending(aborted);
      controller.abort(reason);
      assert.equal(await aborted.rejection(), reason);
      assertIpcError(await late.rejection(), 'ETIMEDOUT');
      await rejects(() => two.lock({ timeout: 0 }), 'ETIMEDOUT');
      held.release();
      const never = start(() => two.lock({ signal: controller.signal }));
      assert.equal(await never.rejection(), reason);
      // Whoever waits behind a wait that is not really gone would wait for ever.
      (await two.lock()).release();
      const next = one.tryLock();
      assert.ok(next !== null, 'a cancelled wait holds the lock');
      next.release();
    },
  },
  {
    key: 'abort-races',
    ids: 'SEM-038',
    promise: 'lock() that is aborted as the lock comes free either has it or has not',
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one && two);
      for (let i = 0; i < 30; i++) {
        const held = await one.lock();
        const controller = new AbortController();
        const wait = start(() => two.lock({ signal: controller.signal }));
        await turns(1);
        held.release();
        await turns(i % 3);
        controller.abort();
        await wait.settled;
        if (wait.state === 'fulfilled') {
          assert.equal(one.tryLock(), null, 'two hold it');
          wait.value?.release();
        }
        const next = one.tryLock();
        assert.ok(next !== null, 'nobody holds it, and it is not free');
        next.release();
      }
    },
  },
  {
    key: 'closed-while-waiting',
    ids: 'SEM-038 SEM-040 BIND-008',
    promise: 'close() rejects pending locks with ERR_CLOSED, as it does later ones',
    async run(adapter, scope) {
      const [one, two] = await open(adapter, scope);
      assert.ok(one && two);
      const held = await one.lock();
      const wait = start(() => two.lock());
      await stillPending(wait);
      two.close();
      two.close();
      assertIpcError(await wait.rejection(), 'ERR_CLOSED');
      await rejects(() => two.lock(), 'ERR_CLOSED');
      throws(() => two.tryLock(), 'ERR_CLOSED');
      held.release();
      one.tryLock()?.release();
    },
  },
];
