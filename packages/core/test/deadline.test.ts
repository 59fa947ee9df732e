import { Deadline } from '@octoipc/core/kit';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { Permits } from './permits.js';

describe('Deadline', () => {
  afterEach(() => void vi.useRealTimers());
  const fake = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });

  test.each([1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 7, 3 * 2 ** 31])(
    '%d ms end once, when all of them are over, though a timer counts 2^31 - 1 at most',
    (milliseconds) => {
      fake();
      const expired = vi.fn();
      new Deadline(milliseconds, expired);
      vi.advanceTimersByTime(milliseconds - 1);
      expect(expired).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(expired).toHaveBeenCalledTimes(1);
      vi.advanceTimersByTime(2 ** 33);
      expect(expired).toHaveBeenCalledTimes(1);
    },
  );

  test('cleared in a later step it never ends', () => {
    fake();
    const expired = vi.fn();
    const deadline = new Deadline(2 ** 32, expired);
    vi.advanceTimersByTime(2 ** 31);
    deadline.clear();
    vi.advanceTimersByTime(2 ** 33);
    expect(expired).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('unreferenced it stays so in its later steps', () => {
    fake();
    const made: { hasRef(): boolean }[] = [];
    const original = globalThis.setTimeout;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, after: number) => {
      const timer = original(run, after);
      made.push(timer);
      return timer;
    }) as typeof setTimeout);
    new Deadline(2 ** 32, () => {}).ref(false);
    vi.advanceTimersByTime(2 ** 31);
    expect(made.length).toBe(2);
    expect(made.map((timer) => timer.hasRef())).toEqual([false, false]);
    vi.restoreAllMocks();
  });

  test('a real wait of 2^31 ms and more is no wait of 1 ms', async () => {
    const warnings: Error[] = [];
    const collect = (warning: Error) => void warnings.push(warning);
    process.on('warning', collect);
    const permits = new Permits();
    const waiting = permits.take({ timeout: 2 ** 31 + 1 });
    // Whoever passes that to setTimeout gets 1 ms, and is told so: these are over later.
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(permits.queue.length).toBe(1);
    permits.give(1);
    expect(await waiting).toBe(0);
    process.off('warning', collect);
    expect(warnings).toEqual([]);
  });
});
