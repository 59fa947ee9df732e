import { Readable } from 'node:stream';

import { frameReceiver, IpcError, json, withCodec, type Receiver } from '@octoipc/core';
import { BLOCKED, closedError, following, iterate, WaitQueue } from '@octoipc/core/kit';
import { describe, expect, test } from 'vitest';

import { codeOf, failure } from './failure.js';
import { ScriptedReader } from './scripted-stream.js';

/** Numbers that come one by one, and who waits for them. */
class Numbers {
  closed = false;
  left = 0;
  taken = 0;
  readonly there: number[] = [];
  #wake: (() => void) | undefined;
  readonly #queue = new WaitQueue({
    listen: (wake) => {
      this.#wake = wake;
    },
    rest: () => {
      this.#wake = undefined;
    },
  });

  give(...numbers: number[]): void {
    this.there.push(...numbers);
    this.#wake?.();
  }

  close(): void {
    this.closed = true;
    this.#queue.fail(closedError({ syscall: 'receive' }));
  }

  fail(error: unknown): void {
    this.#queue.fail(error);
  }

  take(): number | typeof BLOCKED {
    if (this.#queue.length > 0) return BLOCKED;
    return this.#next();
  }

  receive(wait: { readonly signal: AbortSignal }): Promise<number> {
    if (this.closed) return Promise.reject(closedError({ syscall: 'receive' }));
    return this.#queue.run(() => this.#next(), wait, { details: { syscall: 'receive' } });
  }

  steps(takesTurns = false): AsyncIterableIterator<number> {
    return iterate<number>({
      handle: this,
      takesTurns,
      take: () => this.take(),
      receive: (wait) => this.receive(wait),
      left: () => void (this.left += 1),
    });
  }

  #next(): number | typeof BLOCKED {
    const next = this.there.shift();
    if (next === undefined) return BLOCKED;
    this.taken += 1;
    return next;
  }
}

const over = { done: true, value: undefined };

describe('iterate()', () => {
  test('gives many that are there in order, also to steps that were begun at once', async () => {
    const numbers = new Numbers();
    const count = 1000;
    numbers.give(...Array.from({ length: count }, (_, i) => i));
    const steps = numbers.steps(true);
    const all = await Promise.all(Array.from({ length: count }, () => steps.next()));
    expect(all.map(({ value }) => value as number)).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
  });

  test('lets the event loop turn where each take is a system call', async () => {
    const numbers = new Numbers();
    numbers.give(...Array.from({ length: 1000 }, (_, i) => i));
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    const before: number[] = [];
    for await (const number of numbers.steps(true)) {
      if (!turned) before.push(number);
      if (number === 999) break;
    }
    expect(before.length).toBe(256);
  });

  test('is left while the event loop turns: the step is done, and has taken nothing', async () => {
    const numbers = new Numbers();
    numbers.give(...Array.from({ length: 257 }, (_, i) => i));
    const steps = numbers.steps(true);
    for (let i = 0; i < 256; i++) await steps.next();
    const next = steps.next();
    expect(await steps.return!()).toEqual(over);
    expect(await next).toEqual(over);
    expect(numbers.there).toEqual([256]);
  });

  test('tells its source once that it was left, however often', async () => {
    const numbers = new Numbers();
    const steps = numbers.steps();
    const waiting = steps.next();
    await Promise.all([steps.return!(), steps.return!()]);
    expect(await waiting).toEqual(over);
    expect(numbers.left).toBe(1);
    numbers.give(1);
    expect(await steps.next()).toEqual(over);
    expect(numbers.taken).toBe(0);
  });

  test('is over after an error, of which its source is told as well', async () => {
    const numbers = new Numbers();
    const steps = numbers.steps();
    const waiting = [steps.next(), steps.next()];
    numbers.fail(new IpcError('EOWNERDEAD'));
    for (const each of waiting) expect(await codeOf(() => each)).toBe('EOWNERDEAD');
    expect(numbers.left).toBe(1);
    expect(await steps.next()).toEqual(over);
  });

  test('passes on an ERR_CLOSED that is not of its own handle', async () => {
    const numbers = new Numbers();
    const steps = numbers.steps();
    const waiting = steps.next();
    numbers.fail(closedError({ syscall: 'elsewhere' }));
    expect(await failure(() => waiting)).toMatchObject({ syscall: 'elsewhere' });
  });

  test('ends by close(); what was closed before it began is ERR_CLOSED', async () => {
    const numbers = new Numbers();
    const steps = numbers.steps();
    const idle = numbers.steps();
    const waiting = steps.next();
    numbers.close();
    expect(await waiting).toEqual(over);
    expect(await idle.next()).toEqual(over);
    expect(numbers.left).toBe(0);
    expect(await codeOf(() => numbers.steps().next())).toBe('ERR_CLOSED');
  });

  test('leaves no listener behind, and takes many waits without a warning', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    const numbers = new Numbers();
    const steps = numbers.steps();
    const waiting = Array.from({ length: 30 }, () => steps.next());
    numbers.give(...waiting.keys());
    await Promise.all(waiting);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });

  test('is an iterator like all others', async () => {
    const steps = new Numbers().steps();
    const prototype: unknown = Object.getPrototypeOf(
      Object.getPrototypeOf(async function* () {}.prototype),
    );
    expect((prototype as object).isPrototypeOf(steps)).toBe(true);
    expect(steps[Symbol.asyncIterator]()).toBe(steps);
  });

  test('a Node stream over it that is destroyed leaves what comes to others', async () => {
    const numbers = new Numbers();
    const stream = Readable.from(numbers.steps());
    stream.resume();
    await new Promise((resolve) => setImmediate(resolve));
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    numbers.give(7);
    expect(numbers.take()).toBe(7);
  });
});

describe('following()', () => {
  test('gives what becomes of the values, and is over where one cannot be told', async () => {
    const numbers = new Numbers();
    const inner = numbers.steps();
    const steps = following(inner, {
      value(number: number) {
        if (number === 2) throw new RangeError('two');
        return String(number);
      },
    });
    numbers.give(1, 2, 3);
    expect(await steps.next()).toEqual({ done: false, value: '1' });
    await expect(steps.next()).rejects.toThrow('two');
    expect(await steps.next()).toEqual(over);
    expect(numbers.left).toBe(1);
    expect(numbers.there).toEqual([3]);
  });

  test('is left while its end is waited for', async () => {
    const numbers = new Numbers();
    const steps = following<number, number>(numbers.steps(), {
      value: (number) => number,
      ended: () => new Promise(() => {}),
    });
    const waiting = steps.next();
    numbers.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await steps.return!()).toEqual(over);
    expect(await waiting).toEqual(over);
  });

  test('fails where its end does', async () => {
    const numbers = new Numbers();
    let failed = 0;
    const steps = following<number, number>(numbers.steps(), {
      value: (number) => number,
      ended: () => Promise.reject(new IpcError('ERR_PROCESS_FAILED')),
      failed: () => void (failed += 1),
    });
    const waiting = steps.next();
    numbers.close();
    expect(await codeOf(() => waiting)).toBe('ERR_PROCESS_FAILED');
    expect(failed).toBe(1);
    expect(await steps.next()).toEqual(over);
  });

  test('withCodec() leaves the loop over a receiver of somebody else’s, also where decoding fails', async () => {
    let finished = 0;
    const channel = {
      receive: () => Promise.resolve(null),
      tryReceive: () => null,
      close() {},
      closed: false,
      traits: frameReceiver(new ScriptedReader([])).traits,
      async *[Symbol.asyncIterator]() {
        try {
          yield Buffer.from('1');
          yield Buffer.from('no json');
        } finally {
          finished += 1;
        }
      },
      [Symbol.dispose]() {},
    } satisfies Receiver;
    const seen: unknown[] = [];
    const looping = (async () => {
      for await (const value of withCodec(channel, json)) seen.push(value);
    })();
    expect(await codeOf(() => looping)).toBe('EBADMSG');
    expect(seen).toEqual([1]);
    expect(finished).toBe(1);
  });
});
