import { openBell, ringBell } from './bell.js';
import { binding } from './binding.js';
import type { Memory } from './memory.js';
import { WORD, type RingGeometry } from './ring-layout.js';
import type { Seats } from './seat.js';
import { DATA, SEAT, SLEEP } from './shared-header.js';

/** More than there can be who sleep. */
const ALL = 0x7fff_ffff;

/** Wakes whoever sleeps at a ring. */
export class RingWaker {
  /** How often somebody slept and was woken. */
  wakes = 0;
  readonly #words: Int32Array;
  readonly #seats: Seats;
  readonly #geometry: RingGeometry;

  constructor(memory: Memory, geometry: RingGeometry, seats: Seats) {
    this.#words = memory.view(Int32Array, 0, DATA / 4);
    this.#geometry = geometry;
    this.#seats = seats;
  }

  consumer(): void {
    if ((this.#take(WORD.consumerSleep) & SLEEP.bell) !== 0) ringBell(bellName(this.#geometry, 0));
  }

  producers(): void {
    if ((this.#take(WORD.producerSleep) & SLEEP.bell) === 0) return;
    for (let index = 1; index <= this.#geometry.seats; index++) {
      const wants = this.#seats.word(index, SEAT.wants);
      if (Atomics.exchange(this.#words, wants, 0) !== 0) ringBell(bellName(this.#geometry, index));
    }
  }

  #take(word: number): number {
    const bits = Atomics.exchange(this.#words, word, 0);
    if (bits !== 0) this.wakes += 1;
    if ((bits & SLEEP.futex) !== 0) binding().futexNotify(this.#words, word, ALL);
    return bits;
  }
}

/** Opens the bell of a seat. */
export function openRingBell(geometry: RingGeometry, index: number): number {
  return openBell(bellName(geometry, index));
}

function bellName({ id }: RingGeometry, index: number): string {
  return `octoipc-ring-${id}-${index === 0 ? 'c' : index - 1}`;
}
