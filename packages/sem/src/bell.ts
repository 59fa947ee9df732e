import { check, FdSource, Readiness } from '@octoipc/core/kit';

import { binding } from './binding.js';

/** As many rings as are asked for at once. */
const BATCH = 64;

/**
 * Where threads of this package tell that something has happened, for all handles of this JavaScript
 * thread.
 *
 * Lifetime: one, opened at the first wait, which stays. A slot is its taker's until it is given back;
 * what rang before may still be told then, which `give` is to be told of.
 */
export class Bell {
  static #bell: Bell | undefined;

  static get(): Bell {
    Bell.#bell ??= new Bell();
    return Bell.#bell;
  }

  readonly index: number;
  readonly #readiness: Readiness;
  readonly #source: FdSource;
  readonly #who = new Int32Array(BATCH);
  readonly #told: (((slot: number) => void) | undefined)[] = [];
  readonly #free: number[] = [];

  private constructor() {
    const native = binding();
    this.#readiness = Readiness.of(native);
    // This opens it: what keeps the process alive is counted from then on.
    void this.#readiness.mode;
    const fd = new Int32Array(1);
    this.index = check(native.bellOpen(fd), 'eventfd');
    this.#source = new FdSource(this.#readiness, fd[0]!);
    // Handles that wait keep the process alive; the bell by itself does not.
    this.#source.ref(false);
    this.#source.readable.listen(() => this.#answer());
  }

  /** A slot, whose rings are told. */
  take(told: (slot: number) => void): number {
    const slot = this.#free.pop() ?? this.#told.length;
    this.#told[slot] = told;
    return slot;
  }

  /**
   * Gives a slot back.
   *
   * @param rung - whether it has rung, and was not told yet: then it stays taken until that is heard
   */
  give(slot: number, rung = false): void {
    if (rung) {
      this.#told[slot] = () => this.give(slot);
      return;
    }
    this.#told[slot] = undefined;
    this.#free.push(slot);
  }

  /** One more, or one less, that keeps the process alive. */
  keep(change: 1 | -1): void {
    this.#readiness.keep(change);
  }

  #answer(): void {
    const native = binding();
    for (;;) {
      const count = native.bellAnswer(this.index, this.#who);
      for (let i = 0; i < count; i++) {
        const slot = this.#who[i]!;
        this.#told[slot]?.(slot);
      }
      if (count < BATCH) return;
    }
  }
}
