import { YIELD, type Attempt } from '@octoipc/core/kit';

/** After so many sends in a row the event loop turns, or timers would starve. */
const LENGTH = 256;

/** What a send that needed no waiting answers with. */
export const SENT: Promise<void> = Promise.resolve();

/** Sends in a row that needed no waiting. */
export class Burst {
  #length = 0;

  /** Whether one more goes at once; it counts. */
  goesOn(): boolean {
    this.#length += 1;
    if (this.#length <= LENGTH) return true;
    this.#length = 0;
    return false;
  }

  /** One had to wait. */
  end(): void {
    this.#length = 0;
  }
}

/** The same attempt, once the event loop has turned. */
export function afterTurn<T>(attempt: Attempt<T>): Attempt<T> {
  let turned = false;
  return () => {
    if (turned) return attempt();
    turned = true;
    return YIELD;
  };
}
