import { check } from '@octoipc/core/kit';

import { Bell } from './bell.js';
import { binding, type SemBinding } from './binding.js';
import type { Region } from './region.js';

/**
 * The thread that waits for words, for all handles of this JavaScript thread.
 *
 * Lifetime: one for each JavaScript thread, begun at the first wait, and ended with it.
 */
export class WordWatch {
  static #watch: WordWatch | undefined;

  static get(): WordWatch {
    WordWatch.#watch ??= new WordWatch();
    return WordWatch.#watch;
  }

  readonly #binding: SemBinding = binding();
  readonly #index: number;

  private constructor() {
    this.#index = check(this.#binding.watchOpen(Bell.get().index), 'pthread_create');
  }

  /** The slot rings once when the word may differ from what is expected. */
  arm(region: Region, offset: number, expected: number, slot: number): void {
    check(this.#binding.watchArm(this.#index, region.index, offset, expected, slot), 'futex_waitv');
  }

  /** Whether it has not rung, and never will. */
  disarm(slot: number): boolean {
    return this.#binding.watchDisarm(this.#index, slot) === 1;
  }
}
