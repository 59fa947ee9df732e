import type { BLOCKED, OwnedResource } from '@octoipc/core/kit';

import { FIRST, GENERATION, SLOT_STATE, SLOT_TICKET, WORD } from './lock-layout.js';
import type { OpenedLock } from './lock-open.js';
import { EVERYBODY, OwnedWord } from './owned-word.js';
import type { Region } from './region.js';
import { Slots } from './slots.js';
import { WordSource } from './word-source.js';

const ARRIVED = 1;
const SLICE = 20;

/** One who has arrived. */
export interface Arrival {
  readonly slot: number;
  readonly generation: number;
  /** The barrier opened just as he gave up. */
  passed: boolean;
}

/**
 * Those who have arrived at a barrier, each with a slot that tells of which round.
 *
 * Lifetime: the handle's. Its word is held for moments, by whoever arrives or gives up.
 */
export class Arrivals implements OwnedResource {
  readonly parties: number;
  readonly source: WordSource;
  readonly #word: OwnedWord;
  readonly #region: Region;
  readonly #slots: Slots;
  readonly #name: string;

  constructor(opened: OpenedLock) {
    this.#word = new OwnedWord(opened);
    this.#region = opened.region;
    this.#slots = new Slots(opened.region);
    this.#name = opened.target;
    this.parties = opened.region.words[FIRST]!;
    this.source = new WordSource(opened.region);
  }

  release(): void {
    this.#word.release();
  }

  /** Arrives; undefined for the last one, who lets all go on. */
  arrive(): Arrival | undefined {
    return this.#inside(() => {
      const { words } = this.#region;
      const generation = Atomics.load(words, GENERATION);
      if (this.count() + 1 >= this.parties) {
        // This one store lets everybody go on.
        Atomics.store(words, GENERATION, (generation + 1) | 0);
        this.#region.binding.wordWake(this.#region.index, 4 * GENERATION, EVERYBODY);
        return undefined;
      }
      const slot = this.#slots.claim(this.#name);
      this.#slots.set(slot, SLOT_TICKET, generation);
      this.#slots.set(slot, SLOT_STATE, ARRIVED);
      return { slot, generation, passed: false };
    });
  }

  /** One look whether the barrier has opened. */
  attempt({ slot, generation }: Arrival): () => void | typeof BLOCKED {
    return () => {
      if (Atomics.load(this.#region.words, GENERATION) === generation) {
        return this.source.blocked(4 * GENERATION, generation);
      }
      this.#slots.end(slot);
    };
  }

  /** Has not arrived after all, unless the barrier is open. */
  undo(arrival: Arrival): (error: unknown) => unknown {
    return (error) => {
      this.#inside(() => {
        const now = Atomics.load(this.#region.words, GENERATION);
        arrival.passed = now !== arrival.generation;
        this.#slots.end(arrival.slot);
      });
      return error;
    };
  }

  /** Those who have arrived in this round, and live. */
  count(): number {
    const generation = Atomics.load(this.#region.words, GENERATION);
    let count = 0;
    for (const slot of this.#slots.held()) {
      const arrived = this.#slots.get(slot, SLOT_STATE) === ARRIVED;
      if (arrived && this.#slots.get(slot, SLOT_TICKET) === generation) count += 1;
    }
    return count;
  }

  /** Runs with the word held: one at a time arrives or gives up, each in some microseconds. */
  #inside<T>(run: () => T): T {
    const { binding, index } = this.#region;
    for (let again = false; ; again = true) {
      const taken = this.#word.take(true, again, this.#name);
      if (typeof taken !== 'number') break;
      binding.wordWait(index, 4 * WORD, taken, SLICE);
    }
    try {
      return run();
    } finally {
      this.#word.leave();
    }
  }
}
