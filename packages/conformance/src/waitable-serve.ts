import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { stat } from 'node:fs/promises';

import type { Case } from './case.js';
import { start, stillPending, throws } from './outcome.js';
import type { Scope } from './scope.js';
import type { Waitable, WaitableAdapter } from './waitable.js';

/** Waits at once, over so many things, while the thread pool must stay free. */
const CROWD = 64;
const THINGS = 16;

/** A thing that the scope closes. */
export async function open(adapter: WaitableAdapter, scope: Scope): Promise<Waitable> {
  return scope.use(await adapter.open());
}

/** Fails unless a wait gave this token, if the thing has tokens at all. */
export function assertToken(adapter: WaitableAdapter, actual: unknown, token: number): void {
  if (adapter.lacks?.tokens === undefined) assert.equal(actual, token);
}

/** Who waits is served, in order, and nobody else is held up. */
export const waitServing: readonly Case<WaitableAdapter>[] = [
  {
    key: 'there-already',
    ids: 'MQ-039 SEM-013',
    promise: 'waiting for what is there already gives it, even with a timeout of 0',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      await thing.give(1);
      assertToken(adapter, await thing.wait({ timeout: 0 }), 1);
      await thing.give(2);
      assertToken(adapter, await thing.wait(), 2);
    },
  },
  {
    key: 'waits',
    ids: 'PIPE-008 MQ-031 SEM-014',
    promise: 'waiting for what is not there is pending until it comes',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const wait = start(() => thing.wait());
      await stillPending(wait);
      await thing.give(3);
      assertToken(adapter, await wait.given(), 3);
    },
  },
  {
    key: 'try-never-waits',
    ids: 'PIPE-009 MQ-032 SVMSG-023 SEM-016',
    promise: 'trying gives what is there, and undefined when there is nothing',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      assert.equal(thing.tryTake(), undefined);
      await thing.give(4);
      const taken = thing.tryTake();
      assert.notEqual(taken, undefined);
      assertToken(adapter, taken, 4);
      assert.equal(thing.tryTake(), undefined);
    },
  },
  {
    key: 'sync',
    ids: 'SEM-020 MQ-038',
    promise: 'blocking gives what is there, and throws ETIMEDOUT when nothing comes in time',
    needs: ['sync'],
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      assert.ok(thing.waitSync !== undefined, 'there is no waitSync, nor does lacks say so');
      await thing.give(5);
      assertToken(adapter, thing.waitSync({ timeout: 0 }), 5);
      throws(() => thing.waitSync?.({ timeout: 0 }), 'ETIMEDOUT');
      const begin = performance.now();
      throws(() => thing.waitSync?.({ timeout: 100 }), 'ETIMEDOUT');
      assert.ok(performance.now() - begin >= 99, 'it gave up too early');
      await thing.give(6);
      assertToken(adapter, await thing.wait(), 6);
    },
  },
  {
    key: 'first-come',
    ids: 'SEM-017',
    promise: 'waiting is first come, first served',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const order: number[] = [];
      const waits = Array.from({ length: 20 }, (_, index) => {
        const wait = start(() => thing.wait());
        void wait.settled.then(() => order.push(index));
        return wait;
      });
      await stillPending(...waits);
      for (const [index, wait] of waits.entries()) {
        await thing.give(index);
        assertToken(adapter, await wait.given(), index);
      }
      assert.deepEqual(
        order,
        waits.map((_, index) => index),
      );
    },
  },
  {
    key: 'no-overtaking',
    ids: '',
    promise: 'trying takes nothing from those who wait already',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const wait = start(() => thing.wait());
      await stillPending(wait);
      const given = thing.give(7);
      assert.equal(thing.tryTake(), undefined);
      await given;
      assertToken(adapter, await wait.given(), 7);
    },
  },
  {
    key: 'one-for-one',
    ids: 'MQ-036 SEM-017',
    promise: 'waiting of many: each thing given serves just one of them',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const waits = Array.from({ length: 10 }, () => start(() => thing.wait()));
      await stillPending(...waits);
      await thing.give(8);
      await Promise.race(waits.map(({ settled }) => settled));
      await stillPending(...waits.slice(1));
      assertToken(adapter, await waits[0]?.given(), 8);
    },
  },
  {
    key: 'pool-stays-free',
    ids: 'SEM-039 SVMSG-041',
    promise: 'waiting 64 times neither blocks the event loop nor holds up fs.stat',
    async run(adapter, scope) {
      const controller = new AbortController();
      setMaxListeners(0, controller.signal);
      const things: Waitable[] = [];
      for (let i = 0; i < THINGS; i++) things.push(await open(adapter, scope));
      const waits = Array.from({ length: CROWD }, (_, index) => {
        const thing = things[index % THINGS]!;
        return start(() => thing.wait({ signal: controller.signal }));
      });
      // More than the pool has threads; each of them must get through while everybody waits.
      await Promise.all(Array.from({ length: 8 }, () => stat('/')));
      await stillPending(...waits);
      controller.abort();
      for (const wait of waits) await wait.rejection();
    },
  },
];
