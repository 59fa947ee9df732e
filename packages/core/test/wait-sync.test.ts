import { BLOCKED, waitSync, YIELD } from '@octoipc/core/kit';
import { describe, expect, test, vi } from 'vitest';

import { failure } from './failure.js';

describe('waitSync', () => {
  const details = { syscall: 'read', target: 5 };

  test('tries, sleeps, tries again, until there is a result', () => {
    const sleeps: number[] = [];
    let tries = 0;
    const attempt = () => {
      tries += 1;
      return tries < 4 ? BLOCKED : 'done';
    };
    expect(waitSync(attempt, (time) => sleeps.push(time), undefined, { details })).toBe('done');
    expect([tries, sleeps.length]).toEqual([4, 3]);
    for (const time of sleeps) expect(time).toBeLessThanOrEqual(100);
  });

  test('YIELD is tried again without a sleep', () => {
    let tries = 0;
    const attempt = () => {
      tries += 1;
      return tries < 3 ? YIELD : tries;
    };
    const sleep = vi.fn();
    expect(waitSync(attempt, sleep, undefined, { details })).toBe(3);
    expect(sleep).not.toHaveBeenCalled();
  });

  test('its timeout is ETIMEDOUT, completed by the operation; 0 tries once', async () => {
    const cancelled = (error: unknown) => Object.assign(error as object, { bytesWritten: 7 });
    const wait = (timeout: number, sleep: (time: number) => void) => () =>
      waitSync(() => BLOCKED, sleep, timeout, { details, cancelled });
    const sleep = vi.fn();
    expect(await failure(wait(0, sleep))).toMatchObject({ code: 'ETIMEDOUT', bytesWritten: 7 });
    expect(sleep).not.toHaveBeenCalled();
    const slept: number[] = [];
    const nap = (time: number) => {
      slept.push(time);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time);
    };
    expect(await failure(wait(5, nap))).toMatchObject({ code: 'ETIMEDOUT', syscall: 'read' });
    // A sleep never outlasts the deadline, so that one of 5 ms is none of 100.
    for (const time of slept) expect(time).toBeLessThanOrEqual(5);
  });
});
