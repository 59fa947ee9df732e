import { Deadline, onAbort, timeoutError, type WaitOptions } from './kit.js';

/** The signals and deadlines of sends that are under way. */
export class Cancellations {
  readonly #deadlines = new Set<Deadline>();
  #alive = true;

  /** Whether deadlines keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    for (const deadline of this.#deadlines) deadline.ref(alive);
  }

  /** Calls back when the signal or the time has come, until the promise settles. */
  watch(
    promise: Promise<void>,
    { signal, timeout }: WaitOptions,
    cancel: (reason: unknown) => void,
  ): Promise<void> {
    const expire = (): void => cancel(timeoutError({ syscall: 'send' }));
    if (timeout === 0) expire();
    const ends = timeout !== undefined && timeout !== 0 && timeout !== Infinity;
    const deadline = ends ? new Deadline(timeout, expire) : undefined;
    if (deadline !== undefined) this.#deadlines.add(deadline);
    if (!this.#alive) deadline?.ref(false);
    const forget = signal && onAbort(signal, () => cancel(signal.reason));
    return promise.finally(() => {
      deadline?.clear();
      if (deadline !== undefined) this.#deadlines.delete(deadline);
      forget?.();
    });
  }
}
