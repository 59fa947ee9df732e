import { onAbort } from './abort.js';
import { Deadline } from './deadline.js';
import { timeoutError } from './errors.js';
import type { WaitOptions } from './wait.js';

/** How errors name a wait. */
interface Details {
  readonly syscall: string;
  readonly target: string;
}

/**
 * A promise that is waited for, with its signal and its deadline.
 *
 * Lifetime: from construction until `resolve` or `fail`, after which neither listener nor timer is left.
 */
export class Pending<T> {
  readonly promise: Promise<T>;
  readonly #deadline: Deadline | undefined;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;
  readonly #forget: (() => void) | undefined;

  /**
   * @param cancel - told once that the signal or the time has come, and whether it is the time; it calls `fail`, or
   *   `resolve`
   */
  constructor(
    { signal, timeout }: WaitOptions,
    details: Details,
    cancel: (error: unknown, late: boolean) => void,
  ) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#forget = signal && onAbort(signal, () => cancel(signal.reason, false));
    if (timeout !== undefined && timeout !== Infinity) {
      this.#deadline = new Deadline(timeout, () => cancel(timeoutError(details), true));
    }
  }

  resolve(value: T): void {
    this.#settle();
    this.#resolve(value);
  }

  fail(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  /** Whether the deadline keeps the process alive. */
  ref(alive: boolean): void {
    this.#deadline?.ref(alive);
  }

  #settle(): void {
    this.#deadline?.clear();
    this.#forget?.();
  }
}
