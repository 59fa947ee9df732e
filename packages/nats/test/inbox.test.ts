import { expect, it } from 'vitest';

import { Inbox } from '../src/inbox.js';

it('an inbox gives in order what came, and tells how many are left', async () => {
  const left: number[] = [];
  const inbox = new Inbox<number>((size) => left.push(size));
  const taken: (number | undefined)[] = [];
  for (let i = 0; i < 10; i++) inbox.push(i);
  for (let i = 0; i < 7; i++) taken.push(inbox.tryTake((item) => item));
  inbox.push(10);
  inbox.push(11);
  expect(inbox.size).toBe(5);
  taken.push(await inbox.take((item) => item, {}, {}));
  expect(inbox.clear()).toEqual([8, 9, 10, 11]);
  expect([inbox.size, inbox.tryTake((item) => item)]).toEqual([0, undefined]);
  expect(taken).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(left).toEqual([9, 8, 7, 6, 5, 4, 3, 4]);
  inbox.push(12);
  expect(inbox.tryTake((item) => item)).toBe(12);
});
