import assert from 'node:assert/strict';

import type { Case } from './case.js';
import type { Iterated, IterationAdapter } from './iteration.js';
import { assertIpcError, failureOf, start, stillPending, type Pending } from './outcome.js';
import type { Scope } from './scope.js';

/** A thing that the scope closes. */
export async function open(adapter: IterationAdapter, scope: Scope): Promise<Iterated> {
  return scope.use(await adapter.open());
}

/** A step of an iteration, under observation. */
export function step(steps: AsyncIterator<unknown>): Pending<IteratorResult<unknown>> {
  return start(() => steps.next());
}

/** Fails unless a step gave the item of this token. */
export async function assertGiven(
  adapter: IterationAdapter,
  { token }: Iterated,
  given: Pending<IteratorResult<unknown>>,
  expected: number,
): Promise<void> {
  const { done, value } = await given.given();
  assert.ok(done !== true, 'the iteration has ended');
  const actual = token(value as never);
  if (adapter.lacks?.tokens === undefined) assert.equal(actual, expected);
}

/** Fails unless a step said that it is over. */
export async function assertOver(given: Pending<IteratorResult<unknown>>): Promise<void> {
  assert.deepEqual(await given.given(), { done: true, value: undefined });
}

/** What an iteration gives, and how it ends by a close. */
export const iterationEnds: readonly Case<IterationAdapter>[] = [
  {
    key: 'gives',
    ids: '',
    promise: 'iteration gives what is there, and waits for what is not',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const steps = thing.iterate();
      await thing.give(1);
      await assertGiven(adapter, thing, step(steps), 1);
      const later = step(steps);
      await stillPending(later);
      await thing.give(2);
      await assertGiven(adapter, thing, later, 2);
    },
  },
  {
    key: 'in-order',
    ids: '',
    promise: 'iteration of which several steps wait serves them in their order',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const steps = thing.iterate();
      const waits = Array.from({ length: 4 }, () => step(steps));
      await stillPending(...waits);
      for (const [token, wait] of waits.entries()) {
        await thing.give(token);
        await assertGiven(adapter, thing, wait, token);
        await stillPending(...waits.slice(token + 1));
      }
    },
  },
  {
    key: 'closed-while-waiting',
    ids: '',
    promise: 'iteration that waits ends when the handle is closed, by no error',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const steps = thing.iterate();
      const waits = Array.from({ length: 3 }, () => step(steps));
      await stillPending(...waits);
      thing.handle.close();
      for (const wait of waits) await assertOver(wait);
      await assertOver(step(steps));
    },
  },
  {
    key: 'closed-in-the-loop',
    ids: '',
    promise: 'iteration ends when the handle is closed between two steps',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      const steps = thing.iterate();
      await thing.give(3);
      await assertGiven(adapter, thing, step(steps), 3);
      thing.handle.close();
      await assertOver(step(steps));
      await assertOver(step(steps));
    },
  },
  {
    key: 'closed-before',
    ids: 'BIND-008',
    promise: 'iteration over what is closed fails with ERR_CLOSED',
    async run(adapter, scope) {
      const thing = await open(adapter, scope);
      thing.handle.close();
      const error = await failureOf(() => thing.iterate().next(), 'an iteration');
      assertIpcError(error, 'ERR_CLOSED');
    },
  },
];
