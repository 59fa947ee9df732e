import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import { BLOCKED, WaitQueue } from '@octoipc/core/kit';

/**
 * What has come and waits for somebody who wants it, first come, first served.
 *
 * Lifetime: until `fail`, after which everyone who asks gets that error once nothing is left.
 */
export class Inbox<T> {
  #items: T[] = [];
  /** Where the first one is: to take it off a long array would move all the others. */
  #next = 0;
  readonly #queue: WaitQueue;
  readonly #taken: (size: number) => void;
  #wake: (() => void) | undefined;
  #error: unknown;

  /** @param taken - told of every item that leaves, and how many stay */
  constructor(taken: (size: number) => void = () => {}) {
    this.#taken = taken;
    this.#queue = new WaitQueue({
      listen: (wake) => {
        this.#wake = wake;
      },
      rest: () => {
        this.#wake = undefined;
      },
    });
  }

  get size(): number {
    return this.#items.length - this.#next;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** The next item; what it is made into is the caller's, in the same turn. */
  take<R>(use: (item: T) => R, wait: WaitOptions, details: IpcErrorDetails): Promise<R> {
    return this.#queue.run(() => this.#attempt(use), wait, { details });
  }

  tryTake<R>(use: (item: T) => R): R | undefined {
    if (this.#queue.length > 0) return undefined;
    const result = this.#attempt(use);
    return result === BLOCKED ? undefined : result;
  }

  /** What nobody has taken. */
  clear(): T[] {
    const left = this.#items.slice(this.#next);
    this.#items = [];
    this.#next = 0;
    return left;
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.#wake?.();
  }

  /** Rejects everyone who waits, whatever is there. */
  close(error: unknown): void {
    this.#error = error;
    this.#queue.fail(error);
  }

  #attempt<R>(use: (item: T) => R): R | typeof BLOCKED {
    if (this.size === 0) {
      if (this.#error !== undefined) throw this.#error;
      return BLOCKED;
    }
    const item = this.#items[this.#next]!;
    this.#next += 1;
    // What was taken goes when it is half of all, so that each is moved once on average.
    if (2 * this.#next >= this.#items.length) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
    this.#taken(this.size);
    return use(item);
  }
}
