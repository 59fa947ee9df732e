import { lastingController } from './abort.js';

/**
 * How all waits of one iteration can end early, as the options of each: what our queues recognise costs them next
 * to nothing until it comes, everybody else finds a signal.
 */
export class IterationWait {
  readonly signal: AbortSignal;
  readonly #controller: AbortController;
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.#controller = lastingController();
    this.signal = this.#controller.signal;
  }

  /**
   * Somebody waits.
   *
   * @param listener - called once the loop is left
   * @returns what takes that back
   */
  join(listener: () => void): () => void {
    this.#waiting.add(listener);
    return () => void this.#waiting.delete(listener);
  }

  /** The loop is left: all of its waits end. */
  leave(reason: unknown): void {
    this.#controller.abort(reason);
    for (const listener of this.#waiting) {
      this.#waiting.delete(listener);
      listener();
    }
  }
}
