import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { IterationAdapter } from './iteration.js';
import { assertGiven, assertOver, open, step } from './iteration-ends.js';
import { start, stillPending } from './outcome.js';
import { turns } from './turns.js';

/** Who leaves a loop takes nothing along. */
export const iterationLeft: readonly Case<IterationAdapter>[] = [
  {
    key: 'left-open',
    ids: '',
    promise: 'iteration that is left leaves the handle open, and is over',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const steps = thing.iterate();
      await thing.give(4);
      await assertGiven(adapter, thing, step(steps), 4);
      for (let i = 0; i < 2; i++) await assertOver(start(() => steps.return!()));
      await thing.give(5);
      await assertOver(step(steps));
      assert.equal(thing.handle.closed, false);
      await assertGiven(adapter, thing, step(thing.iterate()), 5);
    },
  },
  {
    key: 'left-while-waiting',
    ids: '',
    promise:
      'iteration that is left while steps wait ends them; what comes is for the next who asks',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const steps = thing.iterate();
      const waits = Array.from({ length: 3 }, () => step(steps));
      await stillPending(...waits);
      await assertOver(start(() => steps.return!()));
      for (const wait of waits) await assertOver(wait);
      await thing.give(6);
      await assertGiven(adapter, thing, step(thing.iterate()), 6);
    },
  },
  {
    key: 'left-beside-another',
    ids: '',
    promise: 'iteration that is left holds up no other that waits',
    needs: ['several'],
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const steps = thing.iterate();
      const first = step(steps);
      const others = thing.iterate();
      const second = step(others);
      await stillPending(first, second);
      await assertOver(start(() => steps.return!()));
      await assertOver(first);
      await thing.give(7);
      await assertGiven(adapter, thing, second, 7);
    },
  },
  {
    key: 'left-races',
    ids: '',
    promise:
      'iteration that is left as an item comes: its step gives it, or the next who asks gets it',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      for (let token = 0; token < 24; token++) {
        const steps = thing.iterate();
        const wait = step(steps);
        const given = start(async () => thing.give(token));
        // The item may arrive some microtasks, or some turns of the event loop, before.
        if (token < 12) for (let i = 0; i < token; i++) await Promise.resolve();
        else await turns(token % 4);
        await assertOver(start(() => steps.return!()));
        await given.given();
        const { done } = await wait.given();
        const next = thing.iterate();
        await assertGiven(adapter, thing, done === true ? step(next) : wait, token);
        await next.return!();
      }
      await stillPending(step(thing.iterate()));
    },
  },
];
