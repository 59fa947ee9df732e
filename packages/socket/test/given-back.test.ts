import { expect, test, vi } from 'vitest';

import { codeOf } from '../../core/test/failure.js';
import { isPending } from '../../pipe/test/opened.js';
import { pair } from './opened.js';

test('a readAll() that fails gives back what it took before what it left', async () => {
  const [left, right] = pair();
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
  const controller = new AbortController();
  const all = right.readAll({ signal: controller.signal });
  await left.write(bytes);
  await vi.waitUntil(() => right.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
  for (const maxBytes of [0, 100_000, 1]) {
    expect(await codeOf(() => right.readAll({ maxBytes }))).toBe('EMSGSIZE');
    expect(right.available).toBe(200_000);
  }
  left.close();
  expect((await right.readAll()).equals(bytes)).toBe(true);
});

test('what readAll() gives back wakes a read that waits already', async () => {
  const [left, right] = pair();
  const controller = new AbortController();
  const all = right.readAll({ signal: controller.signal });
  const next = right.read();
  left.tryWrite('abc');
  await vi.waitUntil(() => right.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
  expect(await isPending(next)).toBe(false);
  expect(String(await next)).toBe('abc');
});
