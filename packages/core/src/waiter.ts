import { BLOCKED, YIELD, type Attempt, type Operation } from './attempt.js';
import type { Deadline } from './deadline.js';

/** What {@link Waiter.attempt} answers when its promise has settled. */
export const DONE: unique symbol = Symbol('done');

/**
 * One who waits in a queue.
 *
 * Lifetime: from construction until its promise settles, after which neither listener nor timer is left.
 */
export class Waiter<T> {
  readonly promise: Promise<T>;
  readonly operation: Operation;
  deadline: Deadline | undefined;
  /** Takes its listener off the signal. */
  forget: (() => void) | undefined;
  readonly #try: Attempt<T>;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  constructor(attempt: Attempt<T>, operation: Operation) {
    this.#try = attempt;
    this.operation = operation;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Tries once. */
  attempt(): typeof DONE | typeof BLOCKED | typeof YIELD {
    try {
      const result = this.#try();
      if (result === BLOCKED) return BLOCKED;
      if (result === YIELD) return YIELD;
      this.#settle();
      this.#resolve(result as T);
    } catch (error) {
      this.#settle();
      this.#reject(error);
    }
    return DONE;
  }

  /** Rejects, with the error as the operation tells it. */
  fail(error: unknown): void {
    this.#settle();
    const { cancelled } = this.operation;
    this.#reject(cancelled === undefined ? error : cancelled(error));
  }

  #settle(): void {
    this.deadline?.clear();
    this.forget?.();
  }
}
