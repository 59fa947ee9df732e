/** A permit that was acquired: given back by `release`, or at the end of a `using` block. */
export interface Permit extends Disposable {
  /** Whether it was given back. */
  readonly released: boolean;
  /**
   * Gives it back; again does nothing.
   *
   * @throws {IpcError} ERR_CLOSED when the semaphore's handle was closed
   */
  release(): void;
}

/** @internal */
export class HeldPermit implements Permit {
  #of: { release(): void } | undefined;

  constructor(of: { release(): void }) {
    this.#of = of;
  }

  get released(): boolean {
    return this.#of === undefined;
  }

  release(): void {
    const of = this.#of;
    if (of === undefined) return;
    of.release();
    this.#of = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
