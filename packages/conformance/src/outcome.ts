import assert from 'node:assert/strict';

import { isIpcError } from '@octoipc/core';

import { turns } from './turns.js';

/** A promise under observation: what became of it can be asked, and it is never an unhandled rejection. */
export class Pending<T> {
  state: 'pending' | 'fulfilled' | 'rejected' = 'pending';
  value: T | undefined;
  error: unknown;
  /** Fulfilled once the promise has settled, either way. */
  readonly settled: Promise<void>;

  constructor(promise: Promise<T>) {
    this.settled = promise.then(
      (value) => {
        this.state = 'fulfilled';
        this.value = value;
      },
      (error: unknown) => {
        this.state = 'rejected';
        this.error = error;
      },
    );
  }

  /** What it gave; fails if it was rejected. */
  async given(): Promise<T> {
    await this.settled;
    if (this.state === 'rejected') throw this.error;
    return this.value as T;
  }

  /** What it was rejected with; fails if it was not. */
  async rejection(): Promise<unknown> {
    await this.settled;
    assert.equal(this.state, 'rejected', 'it was fulfilled, and should have been rejected');
    return this.error;
  }
}

/** Starts an asynchronous call, which must answer with a promise: to throw at once is a failure. */
export function start<T>(call: () => Promise<T>): Pending<T> {
  let promise: Promise<T>;
  try {
    promise = call();
  } catch (error) {
    throw new assert.AssertionError({
      message: `it threw instead of rejecting: ${String(error)}`,
    });
  }
  assert.ok(promise instanceof Promise, 'it did not answer with a promise');
  return new Pending(promise);
}

/** Fails unless all are pending still, some turns of the event loop later. */
export async function stillPending(...pendings: readonly Pending<unknown>[]): Promise<void> {
  await turns();
  const settled = pendings.filter(({ state }) => state !== 'pending');
  assert.equal(settled.length, 0, `${settled.length} of ${pendings.length} did not wait`);
}

/** Fails unless this is an IpcError of this code, told as the rules want it. */
export function assertIpcError(error: unknown, code: string): void {
  if (!isIpcError(error)) {
    throw new assert.AssertionError({
      message: `expected an IpcError ${code}`,
      actual: error,
      expected: code,
    });
  }
  assert.equal(error.code, code);
  assert.equal(typeof error.syscall, 'string', 'the error names no call');
  if (!code.startsWith('ERR_')) {
    assert.ok((error.errno ?? 0) < 0, `errno ${String(error.errno)} of ${code} is not negative`);
  }
}

/** Fails unless an asynchronous call rejects with an IpcError of this code. */
export async function rejects(call: () => Promise<unknown>, code: string): Promise<void> {
  assertIpcError(await start(call).rejection(), code);
}

/** Fails unless a synchronous call throws an IpcError of this code. */
export function throws(call: () => unknown, code: string): void {
  assertIpcError(thrownBy(call), code);
}

/** What a synchronous call throws; fails if it throws nothing, or answers with a promise. */
export function thrownBy(call: () => unknown): unknown {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return error;
  }
  if (result instanceof Promise) result.catch(() => {});
  throw new assert.AssertionError({ message: 'it did not throw', actual: result });
}

/** What a call fails with, thrown or rejected; fails if it succeeds. */
export async function failureOf(call: () => unknown, what: string): Promise<unknown> {
  let result: unknown;
  try {
    result = await call();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: `${what} was accepted`, actual: result });
}
