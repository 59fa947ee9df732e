import { BLOCKED, type WakeSource } from '@octoipc/core/kit';

import { Bell } from './bell.js';
import { Keeper } from './keeper.js';
import type { Region } from './region.js';
import { WordWatch } from './word-watch.js';

/** Where a word cannot be watched, for want of memory, it is looked at so often. */
const LOOK = 20;

/**
 * The word that a handle's first waiter sleeps on, as what wakes its queue.
 *
 * Lifetime:
 * 1. An attempt that must wait says for which word, and which value of it; while the queue listens, the
 *    watch waits for that word to differ, and for the next one as soon as an attempt was made again: of the
 *    same waiter, or of the next one because the first has given up.
 * 2. A wake that reached the watch and that nobody uses any more is passed on to whoever else sleeps.
 */
export class WordSource implements WakeSource {
  readonly #region: Region;
  readonly #entered: (() => void) | undefined;
  readonly #left: (() => void) | undefined;
  #offset = 0;
  #expected = 0;
  /** Of what is armed: the word, and the value. */
  #armed = 0;
  #armedFor = 0;
  #slot = -1;
  #timer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #alive = true;

  /** @param entered, left - told when somebody begins to wait, and when nobody waits any more */
  constructor(region: Region, entered?: () => void, left?: () => void) {
    this.#region = region;
    this.#entered = entered;
    this.#left = left;
  }

  /** What an attempt answers that has to wait while a word has this value. */
  blocked(offset: number, expected: number): typeof BLOCKED {
    this.#offset = offset;
    this.#expected = expected;
    const armed = this.#slot >= 0;
    if (armed && (offset !== this.#armed || expected !== this.#armedFor)) {
      this.#disarm();
      this.#arm();
    }
    return BLOCKED;
  }

  /** Sleeps in the kernel while the word has the value that the last attempt has named. */
  sleep(milliseconds: number): void {
    this.#region.binding.wordWait(this.#region.index, this.#offset, this.#expected, milliseconds);
  }

  /** The same, for as long as it takes: who was killed with a wake that he could not use is no matter. */
  sleepLooking(): void {
    Keeper.get().sleep(this.#region, this.#offset, this.#expected);
  }

  listen(wake: () => void): void {
    WordWatch.get();
    this.#wake = wake;
    this.#entered?.();
    if (this.#alive) Bell.get().keep(1);
    this.#arm();
  }

  rest(): void {
    if (this.#wake === undefined) return;
    this.#wake = undefined;
    clearTimeout(this.#timer);
    if (this.#slot >= 0) this.#disarm();
    this.#left?.();
    if (this.#alive) Bell.get().keep(-1);
  }

  /** Whether waits keep the process alive. */
  ref(alive: boolean): void {
    if (alive === this.#alive) return;
    this.#alive = alive;
    if (this.#wake !== undefined) Bell.get().keep(alive ? 1 : -1);
  }

  #arm(): void {
    this.#slot = Bell.get().take(this.#rung);
    this.#armed = this.#offset;
    this.#armedFor = this.#expected;
    try {
      WordWatch.get().arm(this.#region, this.#offset, this.#expected, this.#slot);
    } catch {
      Bell.get().give(this.#slot);
      this.#slot = -1;
      clearTimeout(this.#timer);
      // What keeps the process alive is that somebody waits, not how.
      this.#timer = setTimeout(this.#look, LOOK).unref();
    }
  }

  #disarm(): void {
    const rung = !WordWatch.get().disarm(this.#slot);
    Bell.get().give(this.#slot, rung);
    this.#slot = -1;
    if (rung) this.#region.binding.wordWake(this.#region.index, this.#armed, 1);
  }

  readonly #rung = (): void => {
    Bell.get().give(this.#slot);
    this.#slot = -1;
    this.#look();
  };

  readonly #look = (): void => {
    this.#wake?.();
    if (this.#wake !== undefined && this.#slot < 0) this.#arm();
  };
}
