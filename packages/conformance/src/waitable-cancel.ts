import assert from 'node:assert/strict';
import { getEventListeners, setMaxListeners } from 'node:events';

import type { Case } from './case.js';
import { until } from './census.js';
import { assertIpcError, start, stillPending } from './outcome.js';
import { turns } from './turns.js';
import type { WaitableAdapter } from './waitable.js';
import { assertToken, open } from './waitable-serve.js';

const NEVER = 3_600_000;

/** Cancelling loses nothing, and leaves nothing behind. */
export const waitCancelling: readonly Case<WaitableAdapter>[] = [
  {
    key: 'aborted-before',
    ids: '',
    promise: 'waiting with an aborted signal rejects with its reason, and takes nothing',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      await thing.give(10);
      const reason = new Error('never');
      const wait = start(() => thing.wait({ signal: AbortSignal.abort(reason) }));
      assert.equal(await wait.rejection(), reason);
      const taken = await thing.wait({ timeout: 0 });
      assertToken(adapter, taken, 10);
    },
  },
  {
    key: 'aborted-while-waiting',
    ids: 'SEM-038',
    promise: 'waiting that is aborted rejects with the reason, and takes nothing',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      for (const reason of [new Error('enough'), 'a string', null, undefined]) {
        const controller = new AbortController();
        const wait = start(() => thing.wait({ signal: controller.signal }));
        await stillPending(wait);
        controller.abort(reason);
        assert.equal(await wait.rejection(), controller.signal.reason);
      }
      await thing.give(11);
      assertToken(adapter, await thing.wait(), 11);
      assert.equal(thing.tryTake(), undefined);
    },
  },
  {
    key: 'timed-out',
    ids: 'MQ-037 SEM-019',
    promise: 'waiting rejects with ETIMEDOUT, not before its time, and takes nothing',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const begin = performance.now();
      assertIpcError(await start(() => thing.wait({ timeout: 20 })).rejection(), 'ETIMEDOUT');
      assert.ok(performance.now() - begin >= 19, 'it gave up too early');
      assertIpcError(await start(() => thing.wait({ timeout: 0 })).rejection(), 'ETIMEDOUT');
      assertIpcError(await start(() => thing.wait({ timeout: 0.5 })).rejection(), 'ETIMEDOUT');
      await thing.give(12);
      assertToken(adapter, await thing.wait({ timeout: NEVER }), 12);
      assert.equal(thing.tryTake(), undefined);
    },
  },
  {
    key: 'every-second-aborted',
    ids: 'SEM-038',
    promise:
      'waiting 100 times, every second one aborted: the other 50 get all that was given, in order',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const controller = new AbortController();
      const { signal } = controller;
      setMaxListeners(0, signal);
      const waits = Array.from({ length: 100 }, (_, index) =>
        start(() => thing.wait(index % 2 === 0 ? { signal } : undefined)),
      );
      await stillPending(...waits);
      controller.abort();
      for (let token = 0; token < 50; token++) {
        await thing.give(token);
        await waits[2 * token]?.rejection();
        assertToken(adapter, await waits[2 * token + 1]?.given(), token);
      }
      assert.equal(thing.tryTake(), undefined, 'more was there than was given');
    },
  },
  {
    key: 'abort-races',
    ids: 'SEM-038',
    promise: 'waiting that is aborted as its thing comes: it is either taken or still there',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      for (let token = 0; token < 40; token++) {
        const controller = new AbortController();
        const reason = new Error('late');
        const wait = start(() => thing.wait({ signal: controller.signal }));
        const given = thing.give(token);
        // The thing may arrive some microtasks, or some turns of the event loop, before the abort.
        if (token < 20) for (let i = 0; i < token; i++) await Promise.resolve();
        else await turns(token % 4);
        controller.abort(reason);
        await wait.settled;
        await given;
        if (wait.state === 'rejected') {
          assert.equal(wait.error, reason);
          assertToken(adapter, await thing.wait(), token);
        } else {
          assertToken(adapter, wait.value, token);
        }
        assert.equal(thing.tryTake(), undefined, 'it was taken and is still there');
      }
    },
  },
  {
    key: 'queue-goes-on',
    ids: '',
    promise: 'waiting that is cancelled at the head of the queue does not hold up the next',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const controller = new AbortController();
      const first = start(() => thing.wait({ signal: controller.signal }));
      const second = start(() => thing.wait({ timeout: NEVER }));
      const third = start(() => thing.wait());
      await stillPending(first, second, third);
      controller.abort();
      await first.rejection();
      await thing.give(13);
      assertToken(adapter, await second.given(), 13);
      await thing.give(14);
      assertToken(adapter, await third.given(), 14);
    },
  },
  {
    key: 'nothing-left-behind',
    ids: '',
    promise: 'waiting leaves no listener on the signal and no timer, however it ended',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const timers = (): number =>
        process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
      const before = timers();
      const controller = new AbortController();
      const { signal } = controller;
      const options = { signal, timeout: NEVER };
      await thing.give(15);
      await thing.wait(options);
      const served = start(() => thing.wait(options));
      await stillPending(served);
      await thing.give(16);
      await served.given();
      const late = start(() => thing.wait({ signal, timeout: 1 }));
      await late.rejection();
      assert.equal(getEventListeners(signal, 'abort').length, 0, 'a listener stayed');
      const aborted = start(() => thing.wait(options));
      await stillPending(aborted);
      controller.abort();
      await aborted.rejection();
      assert.equal(getEventListeners(signal, 'abort').length, 0, 'a listener stayed');
      await until(() => timers() <= before);
      assert.ok(timers() <= before, 'a timer stayed');
    },
  },
];
