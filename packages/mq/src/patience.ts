/** So many turns at the beginning, and whenever it is tried anew. */
const FIRST = 2;

/** More turns than these take longer than to ask a thread. */
const MOST = 16;

/** A queue for which turning was of no use is given another chance after so many waits. */
const AGAIN_AFTER = 32;

/**
 * How often a queue is looked at, as the event loop turns, before a thread waits for it: under load what
 * is waited for comes within a few turns, and costs no thread; where it never does (two processes that
 * answer each other on one core) each turn only keeps the other one from the core. So this learns.
 */
export class Patience {
  #turns = FIRST;
  #waits = 0;

  /** How many turns the next wait is worth. */
  get turns(): number {
    return this.#turns;
  }

  /** It came while the event loop turned. */
  rewarded(): void {
    this.#turns = Math.min(MOST, this.#turns * 2);
  }

  /** It did not, and a thread was asked. */
  spent(): void {
    this.#waits += 1;
    this.#turns = this.#waits % AGAIN_AFTER === 0 ? FIRST : this.#turns >> 1;
  }
}
