import { getEventListeners } from 'node:events';

import { onAbort, WaitQueue, BLOCKED } from '@octoipc/core/kit';
import { expect, test } from 'vitest';

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

test('onAbort() tells each once, in the order of coming, and leaves no listener', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const told: string[] = [];
  onAbort(signal, () => told.push('first'));
  const takeBack = onAbort(signal, () => told.push('taken back'));
  const twice = (): unknown => told.push('twice');
  onAbort(signal, twice);
  onAbort(signal, twice);
  expect(listenersOf(signal)).toBe(1);
  takeBack();
  takeBack();
  controller.abort();
  controller.abort();
  expect(told).toEqual(['first', 'twice', 'twice']);
  expect(listenersOf(signal)).toBe(0);
});

test('onAbort(): one that takes back a later one keeps it from being told', () => {
  const controller = new AbortController();
  const told: string[] = [];
  onAbort(controller.signal, () => {
    told.push('first');
    takeBack();
  });
  const takeBack = onAbort(controller.signal, () => told.push('second'));
  onAbort(controller.signal, () => told.push('third'));
  controller.abort();
  expect(told).toEqual(['first', 'third']);
});

test('onAbort(): the last one that is taken back takes the listener along, the next one brings it again', () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) {
    const all = [onAbort(signal, () => undefined), onAbort(signal, () => undefined)];
    expect(listenersOf(signal)).toBe(1);
    for (const takeBack of all) takeBack();
    expect(listenersOf(signal)).toBe(0);
  }
});

test('a thousand that wait with one signal are one listener of it, and all are rejected in their order', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const rejected: number[] = [];
  const queues = Array.from({ length: 10 }, () => {
    return new WaitQueue({ listen: () => undefined, rest: () => undefined });
  });
  const reasons = new Set<unknown>();
  const waits = Array.from({ length: 1000 }, async (_, i) => {
    const waiting = queues[i % 10]!.run(
      () => BLOCKED,
      { signal },
      { details: { syscall: 'read' } },
    );
    await waiting.catch((error: unknown) => {
      reasons.add(error);
      rejected.push(i);
    });
  });
  expect(listenersOf(signal)).toBe(1);
  controller.abort();
  await Promise.all(waits);
  expect([...reasons]).toEqual([signal.reason]);
  expect(rejected).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(listenersOf(signal)).toBe(0);
});

test('onAbort() tells also of a signal that is aborted already, once what runs is done', async () => {
  const signal = AbortSignal.abort();
  const told: string[] = [];
  onAbort(signal, () => told.push('told'));
  const takeBack = onAbort(signal, () => told.push('taken back'));
  expect(told).toEqual([]);
  takeBack();
  await Promise.resolve();
  expect(told).toEqual(['told']);
  expect(listenersOf(signal)).toBe(0);
});
