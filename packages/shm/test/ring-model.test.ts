import { expect, test } from 'vitest';

import { explore } from './ring-model.js';

test.each([
  { producers: 1, messages: 4, deaths: 0 },
  { producers: 1, messages: 3, deaths: 2 },
  { producers: 2, messages: 2, deaths: 0 },
  { producers: 2, messages: 1, deaths: 2 },
] as const)('RING-006 RING-007: the protocol holds in every state: %o', (options) => {
  const { states, wrong } = explore(options);
  expect(wrong).toBeUndefined();
  expect(states).toBeGreaterThan(100);
});

test.each(['early tail', 'early head', 'no second look', 'no wake'] as const)(
  'the search finds the mistake: %s',
  (mutant) => {
    expect(explore({ producers: 1, messages: 3, deaths: 0, mutant }).wrong).toBeDefined();
  },
);
