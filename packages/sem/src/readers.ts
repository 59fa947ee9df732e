import type { OwnedResource } from '@octoipc/core/kit';

import {
  DEAD,
  isHeld,
  OWNER,
  OWNER_DIED,
  SLOT_OWNER,
  SLOT_TICKET,
  slotAt,
  STATE,
  WAITERS,
  WORD,
} from './lock-layout.js';
import type { DeadOwner, OwnedWord } from './owned-word.js';
import { Slots } from './slots.js';

/** A word that somebody has to wait for, and what it holds. */
export interface Obstacle {
  readonly at: number;
  readonly value: number;
}

/**
 * Those who read under a lock, each with a slot, all of one handle with the same.
 *
 * A reader holds its slot and then looks whether somebody writes; a writer takes the word and then looks
 * whether somebody reads. So one of the two sees the other.
 */
export class Readers implements OwnedResource {
  readonly slots: Slots;
  readonly #word: OwnedWord;
  #reading = 0;
  #slot = -1;

  constructor(word: OwnedWord) {
    this.#word = word;
    this.slots = new Slots(word.region);
  }

  /** Begins to read, unless somebody writes, or wants to: then what the word holds. */
  enter(waiting: boolean, target: string): Obstacle | undefined {
    const { words } = this.#word;
    for (;;) {
      const seen = Atomics.load(words, WORD);
      if (isHeld(seen)) {
        const marked = waiting ? seen | WAITERS : seen;
        if (Atomics.compareExchange(words, WORD, seen, marked) === seen)
          return { at: WORD, value: marked };
        continue;
      }
      if (this.#reading > 0) {
        this.#reading += 1;
        return undefined;
      }
      const slot = this.slots.claim(target, Math.max(this.#slot, 0));
      if (slot !== this.#slot && this.#slot >= 0) this.slots.forget(this.#slot);
      this.#slot = slot;
      this.slots.words[slotAt(slot) + SLOT_TICKET] = this.#word.token;
      if (!isHeld(Atomics.load(words, WORD))) {
        this.#reading = 1;
        return undefined;
      }
      this.slots.leave(slot);
    }
  }

  /** One of this handle's reads is over. */
  leave(): void {
    this.#reading -= 1;
    if (this.#reading === 0) this.slots.leave(this.#slot);
  }

  /** Who died writing, if nobody has repaired what it left. */
  get dead(): DeadOwner | null {
    const { words } = this.#word;
    const died = (Atomics.load(words, WORD) & OWNER_DIED) !== 0;
    const pid = died && words[OWNER] !== 0 ? words[OWNER]! : words[STATE] === 0 ? 0 : words[DEAD]!;
    return pid === 0 ? null : { pid };
  }

  /** The first who reads; undefined if nobody does. */
  obstacle(waiting: boolean): Obstacle | undefined {
    const { words } = this.#word;
    const { used } = this.slots;
    for (let slot = 0; slot < used; slot++) {
      const at = slotAt(slot);
      for (;;) {
        const seen = Atomics.load(words, at);
        if (!isHeld(seen)) break;
        const marked = waiting ? seen | WAITERS : seen;
        if (Atomics.compareExchange(words, at, seen, marked) === seen) return { at, value: marked };
      }
    }
    return undefined;
  }

  /** Whether this thread reads, by whatever handle. */
  get mine(): boolean {
    for (const slot of this.slots.held()) {
      const at = slotAt(slot);
      if (this.#word.isMine(Atomics.load(this.slots.words, at), at + SLOT_TICKET)) return true;
    }
    return false;
  }

  /** The processes that read now. */
  get pids(): number[] {
    return [...new Set([...this.slots.held()].map((slot) => this.slots.get(slot, SLOT_OWNER)))];
  }

  release(): void {
    if (this.#reading > 0) this.slots.leave(this.#slot);
    this.#reading = 0;
    if (this.#slot >= 0) this.slots.forget(this.#slot);
  }
}
