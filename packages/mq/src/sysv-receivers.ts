import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, timeoutError } from '@octoipc/core/kit';

import { E2BIG, EINTR } from './errno.js';
import { Patience } from './patience.js';
import type { SysvCalls } from './sysv-calls.js';
import { SysvReceiver, type Wanted } from './sysv-receiver.js';
import { overlap, suits, type Selector } from './sysv-selector.js';
import { Watch } from './sysv-watch.js';
import { WaitPool } from './wait-pool.js';

/** Who waits for whatever it may be. */
type Waiter = SysvReceiver<never>;

/**
 * Those who wait to receive from one queue: first come, first served, among those whom the same message
 * would suit.
 *
 * Lifetime:
 * 1. For each selection of types that somebody waits for, a thread watches until there is such a
 *    message, and leaves it in the queue; it is taken here, where nothing can come in between. So a
 *    cancelled wait has taken no message, and other processes get it.
 * 2. An empty message cannot be watched for without taking it (sysv_wait.h). It goes to the first who
 *    waits for its type; who is cancelled at that very moment, receives it instead.
 * 3. A watch ends with the last who waits for its types.
 */
export class SysvReceivers {
  readonly #calls: SysvCalls;
  /** Pending waits keep the handle alive, too. */
  readonly #owner: object;
  readonly #waiters: Waiter[] = [];
  readonly #watches = new Map<string, Watch>();
  readonly #patience = new Patience();
  #alive = true;
  #kept = false;

  constructor(calls: SysvCalls, owner: object) {
    this.#calls = calls;
    this.#owner = owner;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** Whether somebody waits for a message that might suit this selection. */
  contends(selector: Selector): boolean {
    for (const waiter of this.#waiters) if (overlap(waiter.selector, selector)) return true;
    return false;
  }

  /** Takes at once what nobody else waits for; else waits. */
  run<T>(wanted: Wanted<T>, wait: WaitOptions): Promise<T> {
    const { signal, timeout } = wait;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const details = { syscall: 'msgrcv', target: this.#calls.target };
    const { selector } = wanted;
    try {
      if (!this.contends(selector)) {
        const result = wanted.attempt();
        if (result !== BLOCKED) return Promise.resolve(result);
      }
      if (timeout === 0) throw timeoutError(details);
      // What cannot be waited for is told before anybody waits.
      WaitPool.get();
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const receiver = new SysvReceiver(wanted, wait, details, (one, error, late) =>
      this.#cancel(one as unknown as Waiter, error, late),
    );
    if (!this.#alive) receiver.ref(false);
    this.#waiters.push(receiver as unknown as Waiter);
    this.#watch(selector);
    this.#keep();
    return receiver.promise;
  }

  /** Rejects everyone who waits. */
  fail(error: unknown): void {
    const waiters = this.#waiters.splice(0);
    for (const watch of this.#watches.values()) {
      watch.stop();
      const first = waiters.findIndex(({ selector }) => selector.key === watch.selector.key);
      if (first >= 0 && this.#offer(watch, waiters[first]!)) waiters.splice(first, 1);
    }
    this.#watches.clear();
    for (const waiter of waiters) waiter.fail(error);
    this.#keep();
  }

  /** Whether those who wait keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    for (const waiter of this.#waiters) waiter.ref(alive);
    this.#keep();
  }

  /** Has a thread watch for such messages; whoever waits for them fails where none can be started. */
  #watch(selector: Selector): void {
    const { key } = selector;
    const watch = this.#watches.get(key) ?? new Watch(selector);
    this.#watches.set(key, watch);
    if (watch.watching || watch.result !== undefined) return;
    if (watch.turns < this.#patience.turns && !this.#hasRivals(selector)) {
      watch.turn(() => this.#serve());
      return;
    }
    this.#patience.spent();
    try {
      watch.wait(this.#calls, () => this.#serve());
    } catch (error) {
      this.#watches.delete(key);
      this.#failOf(key, error);
    }
  }

  /** Whether others wait, in another way, for what might suit this selection. */
  #hasRivals(selector: Selector): boolean {
    return this.#waiters.some(
      (other) => other.selector.key !== selector.key && overlap(other.selector, selector),
    );
  }

  /** Some watches have seen something: whoever it may suit is served, in the order of coming. */
  #serve(): void {
    const seen = [...this.#watches.values()].filter(({ result }) => result !== undefined);
    const blocked = new Set<string>();
    for (const waiter of this.#waiters.slice()) {
      const { key } = waiter.selector;
      const watch = this.#watches.get(key);
      if (watch === undefined || blocked.has(key) || !this.#waiters.includes(waiter)) continue;
      if (watch.watching) {
        // The same message may suit this one, who came earlier; its watch has only not told yet.
        if (!seen.some(({ selector }) => overlap(selector, waiter.selector))) continue;
        watch.stop();
      }
      if (this.#isOver(watch)) continue;
      if (this.#offerAny(waiter) || waiter.serve()) {
        if (watch.result === EINTR) this.#patience.rewarded();
        watch.turns = 0;
        this.#remove(waiter);
      } else blocked.add(key);
    }
    for (const [key, watch] of this.#watches) {
      if (watch.watching) continue;
      watch.result = undefined;
      const waits = this.#waiters.some(({ selector }) => selector.key === key);
      if (waits) this.#watch(watch.selector);
      else this.#watches.delete(key);
    }
    this.#keep();
  }

  /** A watch that has failed ends all waits for its types. */
  #isOver({ selector, result = 0 }: Watch): boolean {
    if (result >= 0 || result === E2BIG || result === EINTR) return false;
    this.#failOf(selector.key, this.#calls.error(result, 'msgrcv'));
    return true;
  }

  #failOf(key: string, error: unknown): void {
    for (const waiter of this.#waiters.filter(({ selector }) => selector.key === key)) {
      this.#remove(waiter);
      waiter.fail(error);
    }
  }

  #cancel(waiter: Waiter, error: unknown, late: boolean): void {
    const before = this.#waiters.slice(0, Math.max(this.#waiters.indexOf(waiter), 0));
    if (!this.#remove(waiter)) return;
    const wanted = waiter.selector;
    const { key } = wanted;
    const watch = this.#watches.get(key);
    if (watch !== undefined && !this.#waiters.some(({ selector }) => selector.key === key)) {
      watch.stop();
      this.#watches.delete(key);
      this.#keep();
      if (this.#offer(watch, waiter)) return;
    }
    // Where the event loop was busy, what came in time was not told of yet.
    const last = late && !before.some((other) => overlap(other.selector, wanted));
    if (!last || !waiter.serve()) waiter.fail(error);
  }

  /** Gives it an empty message that suits, whoever's watch has taken it. */
  #offerAny(waiter: Waiter): boolean {
    for (const watch of this.#watches.values()) {
      const { result = 0 } = watch;
      if (result > 0 && suits(waiter.selector, result) && this.#offer(watch, waiter)) return true;
    }
    return false;
  }

  /** Gives the empty message that a watch has taken, if it has, to somebody; else back to the queue. */
  #offer(watch: Watch, waiter: Waiter): boolean {
    const { result = 0 } = watch;
    if (result <= 0) return false;
    watch.result = undefined;
    if (waiter.offer({ data: Buffer.alloc(0), type: result })) return true;
    this.#calls.giveBack(result);
    return false;
  }

  #remove(waiter: Waiter): boolean {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
    return index >= 0;
  }

  #keep(): void {
    const keep = this.#alive && this.#waiters.length > 0 && this.#owner !== undefined;
    if (keep === this.#kept) return;
    this.#kept = keep;
    WaitPool.get().keep(keep ? 1 : -1);
  }
}
