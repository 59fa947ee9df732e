import type { IpcErrorDetails } from './errors.js';
import { BLOCKED, WaitQueue, type WaitOptions } from './wait.js';

/**
 * One at a time, first come, first served, within one thread: for an operation that takes several
 * steps on a handle.
 */
export class Turn {
  #taken = false;
  #wake: (() => void) | undefined;
  readonly #queue = new WaitQueue({
    listen: (wake) => {
      this.#wake = wake;
    },
    rest: () => {
      this.#wake = undefined;
    },
  });

  /** Whether `take` would have to wait. */
  get taken(): boolean {
    return this.#taken;
  }

  /** Takes its turn if nobody has it; those who wait come first. */
  tryTake(): boolean {
    if (this.#taken || this.#queue.length > 0) return false;
    this.#taken = true;
    return true;
  }

  /** Waits for its turn; whoever got it calls `pass` when done. */
  take(options: WaitOptions, details: IpcErrorDetails): Promise<void> {
    const attempt = (): void | typeof BLOCKED => {
      if (this.#taken) return BLOCKED;
      this.#taken = true;
    };
    return this.#queue.run(attempt, options, { details });
  }

  /** Lets the next one have its turn. */
  pass(): void {
    this.#taken = false;
    this.#wake?.();
  }

  /** Whether deadlines of those who wait keep the process alive. */
  ref(alive: boolean): void {
    this.#queue.ref(alive);
  }

  /** Rejects everyone who waits; an error is made only for somebody. */
  fail(makeError: () => unknown): void {
    if (this.#queue.length > 0) this.#queue.fail(makeError());
  }
}
