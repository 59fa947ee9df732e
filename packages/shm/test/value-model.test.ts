import { expect, test } from 'vitest';

import { exploreValue } from './value-model.js';

test.each([
  { writers: 1, sets: 4, deaths: 0 },
  { writers: 1, sets: 3, deaths: 2 },
  { writers: 2, sets: 2, deaths: 0 },
  { writers: 2, sets: 1, deaths: 1 },
  { writers: 2, sets: 1, deaths: 2, turn: true },
] as const)('RING-006: a value’s protocol holds in every state: %o', (options) => {
  const { states, wrong } = exploreValue(options);
  expect(wrong).toBeUndefined();
  expect(states).toBeGreaterThan(200);
});

test.each([
  'begun late',
  'version early',
  'begun first',
  'no look at begun',
  'one slot',
  'no turn',
  'no second look',
  'no wake',
] as const)('the search finds the mistake: %s', (mutant) => {
  const writers = mutant === 'no turn' ? 2 : 1;
  expect(exploreValue({ writers, sets: 4 / writers + 1, deaths: 0, mutant }).wrong).toBeDefined();
});
