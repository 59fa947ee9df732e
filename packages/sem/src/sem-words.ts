/** What a semaphore's value can be at most: SEM_VALUE_MAX. */
export const SEM_VALUE_MAX = 0x7fff_ffff;

/** glibc's and musl's layouts, as the binding numbers them. */
const MUSL = 2;

const VALUE = 0;
const WAITERS = 1;
/** musl's mark that somebody sleeps. */
const SLEEPERS = -0x8000_0000;

/**
 * The words of a sem_t, used as libc uses them, so that C programs share it.
 *
 * glibc (64 bit): the value, the number of waiters, and whether it is shared. Who waits counts himself
 * before he sleeps, and sleeps while the value is 0; who posts wakes if anybody is counted. musl: the value
 * has its highest bit set while somebody sleeps, and 0 with that bit is what he sleeps on.
 */
export class SemWords {
  readonly #words: Int32Array;
  readonly #musl: boolean;

  constructor(words: Int32Array, flavour: number) {
    this.#words = words;
    this.#musl = flavour === MUSL;
  }

  get value(): number {
    return Atomics.load(this.#words, VALUE) & SEM_VALUE_MAX;
  }

  /** Takes a permit if there is one. */
  take(): boolean {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, VALUE);
      if ((seen & SEM_VALUE_MAX) === 0) return false;
      if (Atomics.compareExchange(words, VALUE, seen, seen - 1) === seen) return true;
    }
  }

  /** Adds permits; how many sleepers are to be woken, or -1 if there would be too many permits. */
  post(count: number): number {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, VALUE);
      if ((seen & SEM_VALUE_MAX) + count > SEM_VALUE_MAX) return -1;
      if (!this.#musl) {
        if (Atomics.compareExchange(words, VALUE, seen, seen + count) !== seen) continue;
        return Atomics.load(words, WAITERS) === 0 ? 0 : count;
      }
      const waiters = Atomics.load(words, WAITERS);
      const next = waiters <= count ? (seen + count) & SEM_VALUE_MAX : seen + count;
      if (Atomics.compareExchange(words, VALUE, seen, next) !== seen) continue;
      if (seen >= 0) return 0;
      return waiters > count ? count : SEM_VALUE_MAX;
    }
  }

  /** What the value is while there is no permit, for who is about to sleep on it. */
  asleep(): number {
    if (!this.#musl) return 0;
    Atomics.compareExchange(this.#words, VALUE, 0, SLEEPERS);
    return SLEEPERS;
  }

  /** One more, or one less, who waits. */
  count(change: 1 | -1): void {
    Atomics.add(this.#words, WAITERS, change);
  }
}
