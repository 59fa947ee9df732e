/** setTimeout counts in 32 bits; a longer time is waited for in several steps. */
const LONGEST_TIMER = 0x7fffffff;

/** A deadline on the monotonic clock that calls back once. */
export class Deadline {
  readonly #at: number;
  readonly #expire: () => void;
  #timer: NodeJS.Timeout;

  constructor(milliseconds: number, expire: () => void) {
    this.#at = performance.now() + milliseconds;
    this.#expire = expire;
    this.#timer = this.#arm(milliseconds);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  ref(alive: boolean): void {
    if (alive) this.#timer.ref();
    else this.#timer.unref();
  }

  #arm(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), Math.min(Math.ceil(milliseconds), LONGEST_TIMER));
  }

  #check(): void {
    const left = this.#at - performance.now();
    if (left <= 0) {
      this.#expire();
      return;
    }
    const alive = this.#timer.hasRef();
    this.#timer = this.#arm(left);
    if (!alive) this.#timer.unref();
  }
}
