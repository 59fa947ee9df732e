import { check, FdSource, Readiness, type WakeSource } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { DATA, SEAT, SLEEP, WORD, type RingGeometry } from './ring-layout.js';
import type { Seats } from './ring-seat.js';
import type { Memory } from './memory.js';

/** Nobody sleeps longer without looking again, in milliseconds: so soon is a death known. */
export const SLICE = 20;

/** More than there can be who sleep. */
const ALL = 0x7fff_ffff;

let callers = -1;

/** Wakes whoever sleeps at a ring. */
export class Waker {
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
    if ((this.#take(WORD.consumerSleep) & SLEEP.bell) !== 0) this.#ring(0);
  }

  producers(): void {
    if ((this.#take(WORD.producerSleep) & SLEEP.bell) === 0) return;
    for (let index = 1; index <= this.#geometry.seats; index++) {
      const wants = this.#seats.word(index, SEAT.wants);
      if (Atomics.exchange(this.#words, wants, 0) !== 0) this.#ring(index);
    }
  }

  #take(word: number): number {
    const bits = Atomics.exchange(this.#words, word, 0);
    if (bits !== 0) this.wakes += 1;
    if ((bits & SLEEP.futex) !== 0) binding().futexNotify(this.#words, word, ALL);
    return bits;
  }

  #ring(index: number): void {
    const native = binding();
    if (callers < 0) callers = check(native.bellOpen(''), 'socket');
    native.bellRing(callers, bellName(this.#geometry, index));
  }
}

function bellName({ id }: RingGeometry, index: number): string {
  return `octoipc-ring-${id}-${index === 0 ? 'c' : index - 1}`;
}

/**
 * What wakes an end that waits on the event loop: its bell, and every 20 ms a look whether the other side
 * is alive.
 *
 * Lifetime: from the first wait until `close()`. The interval runs while somebody waits, and one round
 * longer, so that waits that follow each other do not start it each time.
 */
export class Bell implements WakeSource {
  readonly #fd: number;
  readonly #source: FdSource;
  readonly #look: () => void;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #idle = false;

  /**
   * @param geometry - of the ring
   * @param index - of the seat
   * @param look - called every 20 ms while somebody waits, before they try again
   */
  constructor(geometry: RingGeometry, index: number, look: () => void) {
    const native = binding();
    this.#fd = check(native.bellOpen(bellName(geometry, index)), 'socket');
    this.#source = new FdSource(Readiness.of(native), this.#fd);
    this.#look = look;
  }

  listen(wake: () => void): void {
    this.#source.readable.listen(() => {
      binding().bellDrain(this.#fd);
      wake();
    });
    this.#wake = wake;
    this.#idle = false;
    this.#timer ??= setInterval(() => this.#tick(), SLICE).unref();
  }

  rest(): void {
    this.#source.readable.rest();
    this.#wake = undefined;
  }

  ref(alive: boolean): void {
    this.#source.ref(alive);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#source.dispose();
    binding().close(this.#fd);
  }

  #tick(): void {
    if (this.#wake !== undefined) {
      this.#idle = false;
      this.#look();
      // It may have closed us.
      this.#wake?.();
    } else if (this.#idle) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else {
      this.#idle = true;
    }
  }
}
