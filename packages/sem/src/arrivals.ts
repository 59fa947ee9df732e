import type { BLOCKED, OwnedResource } from '@octoipc/core/kit';

import { FIRST, GENERATION, SLOT_STATE, SLOT_TICKET, slotAt, WORD } from './lock-layout.js';
import type { OpenedLock } from './lock-open.js';
import { EVERYBODY, OwnedWord } from './owned-word.js';
import type { Region } from './region.js';
import { Slots } from './slots.js';
import { WordSource } from './word-source.js';

/** States of a slot. */
const ARRIVED = 1;
const COUNTED = 2;

/** One who has arrived. */
export interface Arrival {
  readonly slot: number;
  readonly generation: number;
  /** The barrier opened just as he gave up. */
  passed: boolean;
  /** He gave up while the one who came last was counting him: that one's word is to be waited for. */
  doubtful: boolean;
}

/**
 * Those who have arrived at a barrier, each with a slot that tells of which round.
 *
 * The word is held for moments, by whoever arrives. Who comes last counts each of the others by a swap, and then
 * opens the barrier; who gives up swaps as well, so one of the two sees the other, and nobody waits for the
 * word to give up.
 *
 * Lifetime: the handle's.
 */
export class Arrivals implements OwnedResource {
  readonly parties: number;
  /** For who waits until the barrier opens. */
  readonly source: WordSource;
  /** For who waits until he can arrive. */
  readonly door: WordSource;
  readonly #word: OwnedWord;
  readonly #region: Region;
  readonly #slots: Slots;
  readonly #name: string;
  /** The slots that this handle has. */
  readonly #own = new Set<number>();

  constructor(opened: OpenedLock) {
    this.#word = new OwnedWord(opened);
    this.#region = opened.region;
    this.#slots = new Slots(opened.region);
    this.#name = opened.target;
    this.parties = opened.region.words[FIRST]!;
    this.source = new WordSource(opened.region);
    this.door = new WordSource(opened.region);
  }

  release(): void {
    for (const slot of this.#own) this.#slots.end(slot);
    this.#word.release();
  }

  /** Tries to arrive; gives undefined for the last one, who lets all go on. */
  arriving(): () => Arrival | undefined | typeof BLOCKED {
    return this.#inside(() => {
      const generation = Atomics.load(this.#region.words, GENERATION);
      if (this.count() + 1 >= this.parties && this.#open(generation)) return undefined;
      const slot = this.#slots.claim(this.#name);
      this.#own.add(slot);
      this.#slots.set(slot, SLOT_TICKET, generation);
      this.#slots.set(slot, SLOT_STATE, ARRIVED);
      return { slot, generation, passed: false, doubtful: false };
    });
  }

  /** One look whether the barrier has opened. */
  attempt({ slot, generation }: Arrival): () => void | typeof BLOCKED {
    return () => {
      if (Atomics.load(this.#region.words, GENERATION) === generation) {
        return this.source.blocked(4 * GENERATION, generation);
      }
      this.#end(slot);
    };
  }

  /** Has not arrived after all, unless the barrier is open, or opening. */
  undo(arrival: Arrival): (error: unknown) => unknown {
    return (error) => {
      const { slot, generation } = arrival;
      if (!this.#swap(slot, ARRIVED, 0)) {
        arrival.passed = Atomics.load(this.#region.words, GENERATION) !== generation;
        arrival.doubtful = !arrival.passed;
      }
      if (!arrival.doubtful) this.#end(slot);
      return error;
    };
  }

  /** Tries to find out what has become of one who gave up. */
  concluding(arrival: Arrival): () => void | typeof BLOCKED {
    return this.#inside(() => {
      arrival.passed = Atomics.load(this.#region.words, GENERATION) !== arrival.generation;
      this.#end(arrival.slot);
    });
  }

  /** How many have arrived in this round, and live. */
  count(): number {
    return this.#arrived(Atomics.load(this.#region.words, GENERATION)).length;
  }

  /** Those who have arrived in a round; who was counted by somebody that died then, too. */
  #arrived(generation: number): number[] {
    return [...this.#slots.held()].filter((slot) => {
      const state = this.#slots.get(slot, SLOT_STATE);
      const arrived = state === ARRIVED || state === COUNTED;
      return arrived && this.#slots.get(slot, SLOT_TICKET) === generation;
    });
  }

  /** Counts those who have arrived, and lets them go on if they are enough. */
  #open(generation: number): boolean {
    const { binding, index, words } = this.#region;
    const counted = this.#arrived(generation).filter(
      (slot) => this.#swap(slot, ARRIVED, COUNTED) || this.#slots.get(slot, SLOT_STATE) === COUNTED,
    );
    if (counted.length + 1 < this.parties) {
      for (const slot of counted) this.#swap(slot, COUNTED, ARRIVED);
      return false;
    }
    // This one store lets everybody go on.
    Atomics.store(words, GENERATION, (generation + 1) | 0);
    binding.wordWake(index, 4 * GENERATION, EVERYBODY);
    return true;
  }

  #end(slot: number): void {
    this.#own.delete(slot);
    this.#slots.end(slot);
  }

  #swap(slot: number, from: number, to: number): boolean {
    const at = slotAt(slot) + SLOT_STATE;
    return Atomics.compareExchange(this.#region.words, at, from, to) === from;
  }

  /** Tries to run with the word held, in some microseconds: one at a time does. */
  #inside<T>(run: () => T): () => T | typeof BLOCKED {
    let again = false;
    return () => {
      const taken = this.#word.take(true, again, this.#name);
      if (typeof taken === 'number') {
        again = true;
        return this.door.blocked(4 * WORD, taken);
      }
      try {
        return run();
      } finally {
        this.#word.leave();
      }
    };
  }
}
