import { AsyncIterators, ended } from './iteration.js';

/** How an iteration is told otherwise. */
export interface Retelling<T, U> {
  /** What becomes of a value; if it throws, the iteration is over. */
  value(value: T): U;
  /** Called at the end, which is told when this has resolved, unless the loop is left before. */
  ended?(): Promise<void>;
  /** Told that a step has failed. */
  failed?(): Promise<void> | void;
  /** Told that the loop was left. */
  left?(): Promise<void> | void;
}

/**
 * An iteration that is made of another one, each step of it of one of that.
 *
 * @param steps - the other one, which is left when this is
 * @param retelling - what is different
 * @returns an iterator that ends, and lets go of the steps that wait, as the other one does
 */
export function following<T, U>(
  steps: AsyncIterator<T>,
  retelling: Retelling<T, U>,
): AsyncIterableIterator<U> {
  return new Following(steps, retelling);
}

/** Lifetime: it is over when the other one is, when its loop is left, and by the first error. */
class Following<T, U> implements AsyncIterableIterator<U> {
  readonly #steps: AsyncIterator<T>;
  readonly #retelling: Retelling<T, U>;
  #over = false;
  #ending: Promise<IteratorResult<U>> | undefined;
  #leave: (() => void) | undefined;

  constructor(steps: AsyncIterator<T>, retelling: Retelling<T, U>) {
    this.#steps = steps;
    this.#retelling = retelling;
  }

  next(): Promise<IteratorResult<U>> {
    if (this.#over) return Promise.resolve(ended());
    try {
      return Promise.resolve(this.#steps.next()).then(this.#told, this.#failed);
    } catch (error) {
      return this.#fail(error);
    }
  }

  async return(): Promise<IteratorResult<U>> {
    const first = !this.#over;
    this.#over = true;
    this.#leave?.();
    await this.#steps.return?.();
    if (first) await this.#retelling.left?.();
    return ended();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #told = (result: IteratorResult<T>): IteratorResult<U> | Promise<IteratorResult<U>> => {
    if (result.done === true) return this.#end();
    try {
      return { done: false, value: this.#retelling.value(result.value) };
    } catch (error) {
      return this.#stop(error);
    }
  };

  readonly #failed = (error: unknown): Promise<never> => this.#fail(error);

  #end(): IteratorResult<U> | Promise<IteratorResult<U>> {
    if (!this.#over && this.#retelling.ended !== undefined) {
      return (this.#ending ??= this.#endWith(this.#retelling.ended()));
    }
    this.#over = true;
    return ended();
  }

  async #endWith(ending: Promise<void>): Promise<IteratorResult<U>> {
    const left = new Promise<void>((resolve) => {
      this.#leave = resolve;
    });
    try {
      await Promise.race([ending, left]);
    } catch (error) {
      return this.#fail(error);
    }
    this.#over = true;
    return ended();
  }

  /** What came cannot be told: nobody will ask the other one for more. */
  async #stop(error: unknown): Promise<never> {
    try {
      await this.#steps.return?.();
    } catch {
      // An error of leaving it would hide this one.
    }
    return this.#fail(error);
  }

  async #fail(error: unknown): Promise<never> {
    const first = !this.#over;
    this.#over = true;
    if (first) await this.#retelling.failed?.();
    throw error;
  }
}

Object.setPrototypeOf(Following.prototype, AsyncIterators);
