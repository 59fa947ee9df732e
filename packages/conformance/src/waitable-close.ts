import assert from 'node:assert/strict';

import type { Case } from './case.js';
import { assertIpcError, rejects, start, stillPending, throws } from './outcome.js';
import type { WaitableAdapter } from './waitable.js';
import { open } from './waitable-serve.js';

/** Closing ends all waits, and the handle. */
export const waitClosing: readonly Case<WaitableAdapter>[] = [
  {
    key: 'closed-while-waiting',
    ids: 'MQ-073 SEM-038 SVMSG-041 RING-015 BIND-008',
    promise: 'close() rejects every pending wait with ERR_CLOSED',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const waits = Array.from({ length: 20 }, () => start(() => thing.wait({ timeout: 60_000 })));
      await stillPending(...waits);
      thing.handle.close();
      for (const wait of waits) assertIpcError(await wait.rejection(), 'ERR_CLOSED');
    },
  },
  {
    key: 'used-closed',
    ids: 'BIND-008 MQ-048 SEM-040',
    promise: 'waiting rejects, trying and blocking throw ERR_CLOSED, after close()',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      await thing.give(20);
      assert.equal(thing.handle.closed, false);
      thing.handle.close();
      assert.equal(thing.handle.closed, true);
      thing.handle.close();
      thing.handle[Symbol.dispose]();
      await rejects(() => thing.wait(), 'ERR_CLOSED');
      await rejects(() => thing.wait({ timeout: 0 }), 'ERR_CLOSED');
      throws(() => thing.tryTake(), 'ERR_CLOSED');
      if (adapter.lacks?.sync === undefined) throws(() => thing.waitSync?.(), 'ERR_CLOSED');
    },
  },
  {
    key: 'disposed-while-waiting',
    ids: '',
    promise: '[Symbol.dispose]() closes: it rejects pending waits with ERR_CLOSED',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const wait = start(() => thing.wait());
      await stillPending(wait);
      thing.handle[Symbol.dispose]();
      assertIpcError(await wait.rejection(), 'ERR_CLOSED');
    },
  },
  {
    key: 'closed-by-a-waiter',
    ids: '',
    promise: 'close() may be called by the one who was just served, while others wait',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const first = start(() => thing.wait().then(() => thing.handle.close()));
      const second = start(() => thing.wait());
      await stillPending(first, second);
      await thing.give(21);
      await first.given();
      assertIpcError(await second.rejection(), 'ERR_CLOSED');
    },
  },
  {
    key: 'ref-and-unref',
    ids: '',
    promise: 'unref() and ref() change nothing about being served',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      thing.handle.unref();
      const wait = start(() => thing.wait());
      await stillPending(wait);
      thing.handle.ref();
      await thing.give(22);
      await wait.given();
      thing.handle.unref();
      thing.handle.ref();
    },
  },
];
