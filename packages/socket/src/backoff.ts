import type { WakeSource } from '@octoipc/core/kit';

const FIRST = 1;
const LONGEST = 64;

/** Tells a queue to try again after 1, 2, 4 … 64 ms, where the kernel tells nothing. */
export class Backoff implements WakeSource {
  #timer: NodeJS.Timeout | undefined;
  #pause = FIRST;

  /** How long the next pause is. */
  next(): number {
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, LONGEST);
    return pause;
  }

  listen(wake: () => void): void {
    this.#timer = setTimeout(() => {
      wake();
      // The queue rests when the attempt was its last; else the timer is still ours.
      if (this.#timer !== undefined) this.listen(wake);
    }, this.next());
  }

  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
