import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, timeoutError, Pending } from '@octoipc/core/kit';

import { Patience } from './patience.js';
import type { SysvCalls } from './sysv-calls.js';
import { WaitPool } from './wait-pool.js';

interface Waiter {
  /** A copy: the caller may change his. */
  readonly data: Uint8Array;
  readonly type: number;
  readonly pending: Pending<void>;
}

/**
 * Those who wait to send to one queue, first come, first served.
 *
 * Lifetime:
 * 1. While somebody waits, a thread is inside msgsnd(2) with the first one's message; the others queue.
 * 2. Who is cancelled has sent nothing: the thread is stopped first. If the message went at that very
 *    moment, the send has succeeded instead.
 */
export class SysvSenders {
  readonly #calls: SysvCalls;
  /** Pending waits keep the handle alive, too. */
  readonly #owner: object;
  readonly #waiters: Waiter[] = [];
  readonly #patience = new Patience();
  #slot: number | undefined;
  #turning: NodeJS.Immediate | undefined;
  #alive = true;
  #kept = false;

  constructor(calls: SysvCalls, owner: object) {
    this.#calls = calls;
    this.#owner = owner;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** Sends at once if nobody waits and there is room; else waits. */
  run(message: Uint8Array, type: number, wait: WaitOptions): Promise<void> {
    const { signal, timeout } = wait;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const details = { syscall: 'msgsnd', target: this.#calls.target };
    try {
      if (this.#waiters.length === 0 && this.#calls.put(message, type) !== BLOCKED) {
        return Promise.resolve();
      }
      if (timeout === 0) throw timeoutError(details);
      // What cannot be waited for is told before anybody waits.
      WaitPool.get();
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const pending = new Pending<void>(wait, details, (error, late) =>
      this.#cancel(waiter, error, late),
    );
    const waiter: Waiter = { data: Uint8Array.from(message), type, pending };
    if (!this.#alive) pending.ref(false);
    this.#waiters.push(waiter);
    if (this.#waiters.length === 1) this.#turn(this.#patience.turns);
    this.#keep();
    return pending.promise;
  }

  /** Rejects everyone who waits. */
  fail(error: unknown): void {
    const waiters = this.#waiters.splice(0);
    if (waiters.length > 0 && this.#stopped()) waiters.shift()?.pending.resolve();
    for (const { pending } of waiters) pending.fail(error);
    this.#keep();
  }

  /** Whether those who wait keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    for (const { pending } of this.#waiters) pending.ref(alive);
    this.#keep();
  }

  /** Tries again in the event loop's next turns; then a thread waits. */
  #turn(left: number): void {
    if (left === 0) {
      this.#patience.spent();
      this.#begin(this.#waiters[0]!);
      return;
    }
    this.#turning = setImmediate(() => {
      this.#turning = undefined;
      this.#next(left - 1);
    });
  }

  #begin({ data, type, pending }: Waiter): void {
    try {
      const { id } = this.#calls;
      this.#slot = WaitPool.get().send(id, data, type, (result) => this.#done(result));
    } catch (error) {
      this.#waiters.shift();
      pending.fail(error);
      this.#next();
    }
  }

  #done(result: number): void {
    this.#slot = undefined;
    const { data, pending } = this.#waiters.shift()!;
    if (result >= 0) pending.resolve();
    else pending.fail(this.#calls.sendError(result, data.length));
    this.#next();
  }

  /** Sends what can be sent, and waits with the first that cannot: so many turns, then on a thread. */
  #next(turns?: number): void {
    for (;;) {
      const waiter = this.#waiters[0];
      if (waiter === undefined) break;
      try {
        if (this.#calls.put(waiter.data, waiter.type) === BLOCKED) {
          this.#turn(turns ?? this.#patience.turns);
          return;
        }
        if (turns !== undefined) this.#patience.rewarded();
        turns = undefined;
        this.#waiters.shift();
        waiter.pending.resolve();
      } catch (error) {
        this.#waiters.shift();
        waiter.pending.fail(error);
      }
    }
    this.#keep();
  }

  #cancel(waiter: Waiter, error: unknown, late: boolean): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    // Where the event loop was busy, nobody has looked whether there is room.
    const sent = index === 0 && (this.#stopped() || (late && this.#isSent(waiter)));
    this.#waiters.splice(index, 1);
    if (sent) waiter.pending.resolve();
    else waiter.pending.fail(error);
    if (index === 0) this.#next();
    this.#keep();
  }

  #isSent({ data, type }: Waiter): boolean {
    try {
      return this.#calls.put(data, type) !== BLOCKED;
    } catch {
      return false; // The time is over all the same.
    }
  }

  /** Stops the thread; whether the first one's message was sent. */
  #stopped(): boolean {
    clearImmediate(this.#turning);
    this.#turning = undefined;
    const slot = this.#slot;
    this.#slot = undefined;
    return slot !== undefined && WaitPool.get().stop(slot) === 0;
  }

  #keep(): void {
    const keep = this.#alive && this.#waiters.length > 0 && this.#owner !== undefined;
    if (keep === this.#kept) return;
    this.#kept = keep;
    WaitPool.get().keep(keep ? 1 : -1);
  }
}
