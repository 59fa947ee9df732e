import { expect, test } from 'vitest';

import { exploreBroadcast } from './broadcast-model.js';

test.each([
  { messages: 7, payloads: [1], deaths: 0, from: 'first' },
  { messages: 8, payloads: [1, 0], deaths: 0, from: 'first' },
  { messages: 5, payloads: [1, 1, 0], deaths: 1, from: 'first' },
  { messages: 4, payloads: [1, 0], deaths: 2, from: 'first' },
  { messages: 5, payloads: [0, 1], deaths: 1, from: 'next' },
  { messages: 6, payloads: [1, 0], deaths: 0, from: 'oldest' },
] as const)('RING-006: a broadcast’s protocol holds in every state: %o', (options) => {
  const { states, wrong } = exploreBroadcast(options);
  expect(wrong).toBeUndefined();
  expect(states).toBeGreaterThan(1000);
});

test.each([
  'begun late',
  'last early',
  'begun first',
  'no look at begun',
  'begun lowered',
  'no marks',
  'no second look',
  'no wake',
] as const)('the search finds the mistake: %s', (mutant) => {
  const deaths = mutant === 'begun lowered' ? 1 : 0;
  const options = { messages: 6, payloads: [1, 0] as const, deaths, from: 'first' as const };
  expect(exploreBroadcast({ ...options, mutant }).wrong).toBeDefined();
});
