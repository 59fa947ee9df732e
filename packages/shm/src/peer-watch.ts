import type { Seats } from './seat.js';

/** A look at the other side, /proc and all, costs some 10 µs: an end that polls has one each 10 ms. */
const LOOK = 10;

/** Looks after those who sit on the other side. */
export class PeerWatch {
  /** How many died since we joined. */
  deaths = 0;
  readonly #seats: Seats;
  readonly #seen = new Map<number, bigint>();
  #looked = 0;

  /** @param others - the first and the last of their seats */
  constructor(seats: Seats, others: readonly [number, number]) {
    this.#seats = seats;
    for (let index = others[0]; index <= others[1]; index++) {
      this.#seen.set(index, seats.identity(index) >> 56n);
    }
  }

  /** Whether somebody has died since the last look; if there was one just now, there is none. */
  look(): boolean {
    const now = performance.now();
    if (now - this.#looked < LOOK) return false;
    this.#looked = now;
    const before = this.deaths;
    for (const [index, seen] of this.#seen) {
      const deaths = this.#seats.deaths(index);
      if (deaths === seen) continue;
      this.deaths += Number((deaths - seen) & 0xffn);
      this.#seen.set(index, deaths);
    }
    return this.deaths > before;
  }
}
