import { EINTR } from './errno.js';
import type { SysvCalls } from './sysv-calls.js';
import type { Selector } from './sysv-selector.js';
import { WaitPool } from './wait-pool.js';

/**
 * Watches a queue for messages of some types, which it leaves where they are: as the event loop turns, or on
 * a thread.
 *
 * Lifetime: it watches from `turn` or `wait` until it has a result, or `stop`. A result stays until it is
 * dealt with: 0 or `E2BIG` that there may be a message, `EINTR` that it is worth a look, above 0 the type of
 * an empty message that was taken, another number that it failed.
 */
export class Watch {
  readonly selector: Selector;
  /** So often was it looked for since the last one. */
  turns = 0;
  result: number | undefined;
  #turning: NodeJS.Immediate | undefined;
  #slot: number | undefined;

  constructor(selector: Selector) {
    this.selector = selector;
  }

  get watching(): boolean {
    return this.#slot !== undefined || this.#turning !== undefined;
  }

  /** Tells when the event loop has turned. */
  turn(told: () => void): void {
    this.turns += 1;
    this.#turning = setImmediate(() => {
      this.#turning = undefined;
      this.result = EINTR;
      told();
    });
  }

  /** Has a thread wait, and tells when it has an answer. */
  wait({ id, binding }: SysvCalls, told: () => void): void {
    const { type, flags } = this.selector;
    this.#slot = WaitPool.get().receive(id, type, flags & binding.except, (result) => {
      this.#slot = undefined;
      this.result = result;
      told();
    });
  }

  /** Watches no more; there may be a result, of the last moment. */
  stop(): void {
    clearImmediate(this.#turning);
    this.#turning = undefined;
    if (this.#slot === undefined) return;
    this.result = WaitPool.get().stop(this.#slot);
    this.#slot = undefined;
  }
}
