import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, Pending } from '@octoipc/core/kit';

import type { SysvMessage } from './sysv-message.js';
import type { Selector } from './sysv-selector.js';

/** What somebody wants. */
export interface Wanted<T> {
  readonly selector: Selector;
  /** Takes it if it is there. */
  attempt(): T | typeof BLOCKED;
  /** Makes it of an empty message that was taken already; undefined if it is not wanted any more. */
  accept(message: SysvMessage): T | undefined;
}

/**
 * One who waits to receive.
 *
 * Lifetime: until it was served, took an empty message, failed, or was cancelled.
 */
export class SysvReceiver<T> {
  readonly selector: Selector;
  readonly #wanted: Wanted<T>;
  readonly #pending: Pending<T>;

  constructor(
    wanted: Wanted<T>,
    wait: WaitOptions,
    details: { readonly syscall: string; readonly target: string },
    cancel: (receiver: SysvReceiver<T>, error: unknown, late: boolean) => void,
  ) {
    this.selector = wanted.selector;
    this.#wanted = wanted;
    this.#pending = new Pending<T>(wait, details, (error, late) => cancel(this, error, late));
  }

  get promise(): Promise<T> {
    return this.#pending.promise;
  }

  /** Serves itself, if what it wants is there. */
  serve(): boolean {
    try {
      const result = this.#wanted.attempt();
      if (result === BLOCKED) return false;
      this.#pending.resolve(result);
    } catch (error) {
      this.#pending.fail(error);
    }
    return true;
  }

  /** Takes an empty message; false if it does not want it. */
  offer(message: SysvMessage): boolean {
    const result = this.#wanted.accept(message);
    if (result !== undefined) this.#pending.resolve(result);
    return result !== undefined;
  }

  fail(error: unknown): void {
    this.#pending.fail(error);
  }

  ref(alive: boolean): void {
    this.#pending.ref(alive);
  }
}
