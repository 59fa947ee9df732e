import { check } from '@octoipc/core/kit';

import { binding, type SemBinding } from './binding.js';
import type { Region } from './region.js';

const FULL = 'this thread has 2,000 locks open, as many as the kernel looks after: close some';

/**
 * The thread that owns this JavaScript thread's locks towards the kernel.
 *
 * Lifetime: one for each JavaScript thread, begun at the first lock, and ended with it; then the kernel
 * tells all who wait for a lock that it held.
 */
export class Keeper {
  static #keeper: Keeper | undefined;

  static get(): Keeper {
    Keeper.#keeper ??= new Keeper();
    return Keeper.#keeper;
  }

  /** What words hold that are locked by this thread. */
  readonly tid: number;
  readonly #binding: SemBinding;
  readonly #index: number;

  private constructor() {
    this.#binding = binding();
    const tid = new Int32Array(1);
    this.#index = check(this.#binding.keeperOpen(tid), 'pthread_create');
    this.tid = tid[0]!;
  }

  /** From now on the word is marked when this thread dies while it holds it. */
  link(region: Region, offset: number): void {
    check(this.#binding.keeperLink(this.#index, region.index, offset), 'set_robust_list', {
      hint: FULL,
    });
  }

  unlink(region: Region, offset: number): void {
    this.#binding.keeperUnlink(this.#index, region.index, offset);
  }

  /** Stores a value in a word, and wakes so many, even if this process is killed in between. */
  release(region: Region, offset: number, value: number, count: number): void {
    this.#binding.keeperRelease(this.#index, region.index, offset, value, count);
  }

  /** Sleeps while a word has a value; the keeper sees to it that no wake is lost. */
  sleep(region: Region, offset: number, expected: number): void {
    this.#binding.keeperSleep(this.#index, region.index, offset, expected);
  }
}
