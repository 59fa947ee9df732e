import { BLOCKED, WaitQueue, YIELD } from '@octoipc/core/kit';
import { describe, expect, test, vi } from 'vitest';

import { codeOf, failure } from './failure.js';
import { Permits } from './permits.js';

describe('WaitQueue', () => {
  test('tries at once, and listens only while somebody waits', async () => {
    const permits = new Permits();
    permits.give(2);
    expect([await permits.take(), await permits.take()]).toEqual([1, 0]);
    expect(permits.log).toEqual([]);
    const waiting = permits.take();
    expect([permits.queue.length, permits.log]).toEqual([1, ['listen']]);
    permits.give(1);
    expect(await waiting).toBe(0);
    expect([permits.queue.length, permits.log]).toEqual([0, ['listen', 'rest']]);
  });

  test('a loop over a source that never runs dry lets the event loop turn', async () => {
    const permits = new Permits();
    permits.count = 1_000_000;
    const turned = new Set<string>();
    setImmediate(() => turned.add('immediate'));
    let taken = 0;
    while (turned.size === 0 && taken < 10_000) {
      await permits.take();
      taken += 1;
    }
    expect(turned.size).toBe(1);
    expect([permits.count, permits.queue.length]).toEqual([1_000_000 - taken, 0]);
  });

  test('an attempt that brings in more than it takes, and wakes for each, loses none', async () => {
    let wake: (() => void) | undefined;
    const things: string[] = [];
    const coming = ['first', 'second'];
    const queue = new WaitQueue({
      listen: (listener) => (wake = listener),
      rest: () => (wake = undefined),
    });
    const attempt = (): string | typeof BLOCKED => {
      if (things.length === 0 && wake !== undefined) {
        for (const thing of coming.splice(0)) {
          things.push(thing);
          wake?.();
        }
      }
      return things.shift() ?? BLOCKED;
    };
    const take = (): Promise<string> => queue.run(attempt, {}, { details: { syscall: 'test' } });
    const taken = take();
    wake!();
    expect(await taken).toBe('first');
    expect(await take()).toBe('second');
  });

  test('a call does not try before it waits where those before all had to, and what is there is told', async () => {
    let wake: (() => void) | undefined;
    let tries = 0;
    let there = 0;
    const queue = new WaitQueue({
      tellsLevels: true,
      listen: (listener) => (wake = listener),
      rest: () => (wake = undefined),
    });
    const attempt = (): number | typeof BLOCKED => {
      tries += 1;
      return there > 0 ? (there -= 1) : BLOCKED;
    };
    const operation = { details: { syscall: 'test' } };
    const counts: number[] = [];
    for (let i = 0; i < 40; i++) {
      tries = 0;
      const taken = queue.run(attempt, {}, operation);
      counts.push(tries);
      there = 1;
      wake!();
      await taken;
    }
    expect(counts.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => 1));
    const later = counts.slice(8);
    expect([later.filter((count) => count === 0).length, later.includes(1)]).toEqual([30, true]);
    // A limited one always looks: what is there when it comes is its own.
    there = 1;
    expect(await queue.run(attempt, { timeout: 1000 }, operation)).toBe(0);
    there = 2;
    expect(await queue.run(attempt, {}, operation)).toBe(1);
  });

  test('a call that queues is told so before it returns, whether it was tried or not', async () => {
    let wake: (() => void) | undefined;
    let there = 0;
    const queue = new WaitQueue({
      tellsLevels: true,
      listen: (listener) => (wake = listener),
      rest: () => (wake = undefined),
    });
    let queued = 0;
    const operation = { details: { syscall: 'test' }, queued: () => void (queued += 1) };
    const take = (): Promise<number> =>
      queue.run(() => (there > 0 ? (there -= 1) : BLOCKED), {}, operation);
    // After some that had to wait it is not tried any more.
    for (let i = 1; i <= 20; i++) {
      const taken = take();
      expect(queued).toBe(i);
      there = 1;
      wake!();
      await taken;
    }
    // And not after many that need not wait, of which the first looks again.
    const before = queued;
    const options = { timeout: 1000 };
    there = 200;
    let waited = 0;
    for (let i = 0; i < 200; i++) {
      const taken = queue.run(() => (there -= 1), options, operation);
      waited += queue.length;
      await taken;
    }
    expect(waited).toBeGreaterThan(0);
    expect(queued - before).toBe(waited);
    expect(await codeOf(() => queue.run(() => BLOCKED, { timeout: 0 }, operation))).toBe(
      'ETIMEDOUT',
    );
    expect(queued - before).toBe(waited);
  });

  test('whose time is over tries once more, those before him first', async () => {
    const permits = new Permits();
    const [first, second] = [permits.take(), permits.take({ timeout: 1 })];
    // Nobody is told of it, as where a timer comes first.
    permits.count = 2;
    expect([await first, await second]).toEqual([1, 0]);
    const [third, fourth] = [permits.take(), codeOf(() => permits.take({ timeout: 1 }))];
    permits.count = 1;
    expect([await third, await fourth]).toEqual([0, 'ETIMEDOUT']);
    expect([permits.count, permits.queue.length]).toEqual([0, 0]);
  });

  test('serves first come, first served, and lets nobody overtake', async () => {
    const permits = new Permits();
    const served: string[] = [];
    const waits = ['a', 'b', 'c'].map((name) => permits.take().then(() => served.push(name)));
    permits.count = 1;
    // A permit is there, yet others wait already.
    waits.push(permits.take().then(() => served.push('d')));
    expect(permits.queue.length).toBe(4);
    permits.give(3);
    await Promise.all(waits);
    expect(served).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a head that needs more holds the others back, until it is cancelled', async () => {
    const permits = new Permits();
    const controller = new AbortController();
    const greedy = permits.take({ signal: controller.signal }, 5);
    const modest = permits.take();
    permits.give(1);
    expect(permits.queue.length).toBe(2);
    controller.abort('enough');
    expect(await greedy.catch((reason: unknown) => reason)).toBe('enough');
    expect(await modest).toBe(0);
  });

  test('an abort rejects with the reason, takes nothing and leaves no listener', async () => {
    const permits = new Permits();
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, 'removeEventListener');
    const reason = new Error('mine');
    const waiting = permits.take({ signal: controller.signal });
    controller.abort(reason);
    expect(await failure(() => waiting)).toBe(reason);
    expect(remove).toHaveBeenCalledTimes(1);
    permits.give(1);
    expect([permits.count, permits.queue.length]).toEqual([1, 0]);
    expect(permits.log).toEqual(['listen', 'rest']);
  });

  test('an aborted signal rejects before anything is tried', async () => {
    const permits = new Permits();
    permits.give(1);
    expect(await failure(() => permits.take({ signal: AbortSignal.abort() }))).toMatchObject({
      name: 'AbortError',
    });
    expect([permits.tries, permits.count]).toEqual([0, 1]);
  });

  test('what was taken is given, even if the abort comes in the same turn', async () => {
    const permits = new Permits();
    const controller = new AbortController();
    const waiting = permits.take({ signal: controller.signal });
    permits.give(1);
    controller.abort();
    expect(await waiting).toBe(0);
  });

  test('timeout 0 tries once: the result, or ETIMEDOUT that names the call', async () => {
    const permits = new Permits();
    expect(await failure(() => permits.take({ timeout: 0 }))).toMatchObject({
      code: 'ETIMEDOUT',
      syscall: 'take',
      target: '/permits',
    });
    expect(permits.tries).toBe(1);
    permits.give(1);
    expect(await permits.take({ timeout: 0 })).toBe(0);
    expect(permits.log).toEqual([]);
  });

  test('a timeout rejects its own wait only', async () => {
    const permits = new Permits();
    const short = permits.take({ timeout: 1 });
    const long = permits.take({ timeout: 60_000 });
    expect(await codeOf(() => short)).toBe('ETIMEDOUT');
    permits.give(1);
    expect(await long).toBe(0);
  });

  test('an attempt that fails rejects its own wait only', async () => {
    const permits = new Permits();
    let broken = false;
    const error = new Error('broken');
    const failing = permits.queue.run(
      () => {
        if (broken) throw error;
        return BLOCKED;
      },
      {},
      { details: {} },
    );
    const other = permits.take();
    broken = true;
    permits.give(1);
    expect(await failure(() => failing)).toBe(error);
    expect(await other).toBe(0);
  });

  test('fail() rejects all that wait, in their order, and the queue goes on', async () => {
    const permits = new Permits();
    const order: string[] = [];
    const waits = ['a', 'b', 'c'].map((name) => permits.take().catch(() => order.push(name)));
    permits.queue.fail(new Error('closed'));
    await Promise.all(waits);
    expect(order).toEqual(['a', 'b', 'c']);
    expect(permits.log).toEqual(['listen', 'rest']);
    permits.give(1);
    expect(await permits.take()).toBe(0);
  });

  test('a source that cannot listen rejects the wait, and the next one tries anew', async () => {
    let broken = true;
    const queue = new WaitQueue({
      listen: () => {
        if (broken) throw new Error('epoll_ctl');
      },
      rest: () => {},
    });
    const wait = (options = {}) => queue.run(() => BLOCKED, options, { details: {} });
    expect((await failure(() => wait({ timeout: 60_000 }))).message).toBe('epoll_ctl');
    expect(queue.length).toBe(0);
    broken = false;
    expect(await codeOf(() => wait({ timeout: 1 }))).toBe('ETIMEDOUT');
  });

  test('YIELD lets the event loop turn, and goes on by itself', async () => {
    const permits = new Permits();
    let left = 3;
    const order: string[] = [];
    const working = permits.queue.run(
      () => {
        order.push('step');
        left -= 1;
        return left > 0 ? YIELD : undefined;
      },
      {},
      { details: {} },
    );
    setImmediate(() => order.push('turn'));
    await working;
    expect(order.filter((what) => what === 'step').length).toBe(3);
    expect(order.indexOf('turn')).toBeLessThan(order.lastIndexOf('step'));
  });

  test('a cancelled operation completes its error', async () => {
    const permits = new Permits();
    const cancelled = (error: unknown) => Object.assign(error as object, { bytesWritten: 3 });
    const wait = (options: object) =>
      permits.queue.run(() => BLOCKED, options, { details: {}, cancelled });
    expect(await failure(() => wait({ timeout: 0 }))).toMatchObject({ bytesWritten: 3 });
    expect(await failure(() => wait({ timeout: 1 }))).toMatchObject({ bytesWritten: 3 });
  });
});
