import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, timeoutError, Pending } from '@octoipc/core/kit';

import { Bell } from './bell.js';
import { CallPool, type Call } from './call-pool.js';
import type { SetCalls } from './sysv-calls.js';
import { indicesOf, isAbout, kept, type Operations } from './sysv-operation.js';

interface Waiter {
  readonly operations: Operations;
  readonly pending: Pending<void>;
}

/** Those who wait for the same semaphores; the first of them is inside semop(2). */
interface Lane {
  readonly waiters: Waiter[];
  readonly indices: readonly number[];
  call: Call | undefined;
}

/**
 * Those who wait for the semaphores of one set: first come, first served among those who wait for the same
 * ones.
 *
 * Lifetime:
 * 1. While somebody waits, a thread is inside semop(2) for the first of each lane.
 * 2. Who is cancelled has done nothing: the thread is stopped first. If the operation went through at that
 *    very moment, it has succeeded instead.
 */
export class SetWaits {
  readonly #calls: SetCalls;
  /** Pending waits keep the handle alive, too. */
  readonly #owner: object;
  readonly #lanes = new Map<string, Lane>();
  #alive = true;
  #kept = false;

  constructor(calls: SetCalls, owner: object) {
    this.#calls = calls;
    this.#owner = owner;
  }

  /** Whether somebody waits for one of these semaphores. */
  contends(operations: Operations): boolean {
    if (this.#lanes.size === 0) return false;
    for (const { indices } of this.#lanes.values()) if (isAbout(operations, indices)) return true;
    return false;
  }

  /** How many wait. */
  get length(): number {
    let length = 0;
    for (const { waiters } of this.#lanes.values()) length += waiters.length;
    return length;
  }

  /** Waits behind those who wait for the same. */
  run(operations: Operations, wait: WaitOptions): Promise<void> {
    const { signal, timeout } = wait;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const details = { syscall: 'semop', target: this.#calls.target };
    // What only adds waits for nobody: those who wait may wait for just that.
    if (!operations.waits || !this.contends(operations)) {
      try {
        if (this.#calls.attempt(operations) !== BLOCKED) return Promise.resolve();
      } catch (error) {
        return Promise.reject(error as Error);
      }
    }
    if (timeout === 0) return Promise.reject(timeoutError(details));
    const indices = indicesOf(operations);
    const name = indices.join(',');
    const lane = this.#lanes.get(name) ?? { waiters: [], indices, call: undefined };
    const pending = new Pending<void>(wait, details, (error) => this.#cancel(lane, waiter, error));
    const waiter: Waiter = { operations: kept(operations), pending };
    if (!this.#alive) pending.ref(false);
    lane.waiters.push(waiter);
    this.#lanes.set(name, lane);
    this.#keep();
    if (lane.waiters.length === 1) this.#begin(lane);
    return pending.promise;
  }

  /** Rejects everyone who waits. */
  fail(error: unknown): void {
    for (const lane of this.#lanes.values()) {
      const waiters = lane.waiters.splice(0);
      if (this.#stopped(lane)) waiters.shift()?.pending.resolve();
      for (const { pending } of waiters) pending.fail(error);
    }
    this.#lanes.clear();
    this.#keep();
  }

  /** Whether those who wait keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    for (const { waiters } of this.#lanes.values()) {
      for (const { pending } of waiters) pending.ref(alive);
    }
    this.#keep();
  }

  /** Has a thread wait for the first; nobody is left: the lane goes. */
  #begin(lane: Lane): void {
    for (;;) {
      const first = lane.waiters[0];
      if (first === undefined) break;
      const { operations, pending } = first;
      try {
        const { id } = this.#calls;
        lane.call = CallPool.get().operate(id, operations.numbers, (result) =>
          this.#done(lane, result),
        );
        return;
      } catch (error) {
        lane.waiters.shift();
        pending.fail(error);
      }
    }
    this.#forget(lane);
  }

  #done(lane: Lane, result: number): void {
    lane.call = undefined;
    const { pending } = lane.waiters.shift()!;
    if (result >= 0) pending.resolve();
    else pending.fail(this.#calls.error(result, 'semop'));
    this.#next(lane);
  }

  /** Serves those that can be served at once, then waits for the next. */
  #next(lane: Lane): void {
    for (;;) {
      const waiter = lane.waiters[0];
      if (waiter === undefined) break;
      try {
        if (this.#calls.attempt(waiter.operations) === BLOCKED) break;
        lane.waiters.shift();
        waiter.pending.resolve();
      } catch (error) {
        lane.waiters.shift();
        waiter.pending.fail(error);
      }
    }
    this.#begin(lane);
  }

  #cancel(lane: Lane, waiter: Waiter, error: unknown): void {
    const index = lane.waiters.indexOf(waiter);
    if (index < 0) return;
    const went = index === 0 && this.#stopped(lane);
    lane.waiters.splice(index, 1);
    if (went) waiter.pending.resolve();
    else waiter.pending.fail(error);
    if (index === 0) this.#next(lane);
  }

  /** Stops the thread; whether the first one's operations went through. */
  #stopped(lane: Lane): boolean {
    const { call } = lane;
    lane.call = undefined;
    return call !== undefined && call.stop() === 0;
  }

  #forget(lane: Lane): void {
    for (const [key, one] of this.#lanes) if (one === lane) this.#lanes.delete(key);
    this.#keep();
  }

  #keep(): void {
    const keep = this.#alive && this.#lanes.size > 0 && this.#owner !== undefined;
    if (keep === this.#kept) return;
    this.#kept = keep;
    Bell.get().keep(keep ? 1 : -1);
  }
}
