import { BLOCKED } from './attempt.js';
import { IpcError, isIpcError } from './errors.js';
import { IterationWait } from './iteration-wait.js';

/** What is iterated over. */
export interface IterationSource<T> {
  /** What its owner may close, which ends an iteration that had begun. */
  readonly handle: { readonly closed: boolean };
  /** Whether each take is a system call: after every 256 the event loop turns then. @default false */
  readonly takesTurns?: boolean;
  /** Takes what is there, unless somebody waits for it already: BLOCKED then; null at the end. */
  take?(): T | null | typeof BLOCKED;
  /** Waits for the next one, and takes it; null at the end. A wait that was aborted has taken nothing. */
  receive(options: { readonly signal: AbortSignal }): Promise<T | null>;
  /** Told once that nobody will ask for more: the loop was left, or a step has failed. */
  left?(): Promise<void> | void;
}

/** After so many in a row the event loop turns, however many are there. */
const BURST = 256;

/** What all asynchronous iterators are: in later versions of Node they can be disposed of. */
export const AsyncIterators: object = Object.getPrototypeOf(
  Object.getPrototypeOf(async function* () {}.prototype),
) as object;

/** What an iterator says when it is over. */
export const ended = (): IteratorReturnResult<undefined> => ({ done: true, value: undefined });

/**
 * Iterates over what comes, one by one. Nothing is taken before it is asked for, so whoever leaves the loop
 * leaves nothing behind.
 *
 * @param source - what it comes from
 * @returns an iterator that ends when the source does, when its owner closes it, and when the loop is left; the
 *   first step over what was closed before rejects
 */
export function iterate<T>(source: IterationSource<T>): AsyncIterableIterator<T> {
  return new Iteration(source);
}

/**
 * Lifetime:
 * 1. Between two steps it holds nothing of its source's.
 * 2. `return()` takes back the steps that wait, by the one signal of all of them: they are done, and what comes
 *    goes to whoever asks next. A step that has taken something already gives it.
 * 3. Once it is over, by its end, by `return()` or by an error, it stays so.
 */
class Iteration<T> implements AsyncIterableIterator<T> {
  readonly #source: IterationSource<T>;
  readonly #wasOpen: boolean;
  #over = false;
  /** Made by the first step that waits, for all that do. */
  #waits: IterationWait | undefined;
  #leaving: IpcError | undefined;
  #inARow = 0;
  /** The last of those steps that came while the event loop turned: they stay in order. */
  #turning: Promise<unknown> | undefined;

  constructor(source: IterationSource<T>) {
    this.#source = source;
    this.#wasOpen = !source.handle.closed;
  }

  next(): Promise<IteratorResult<T>> {
    return this.#turning === undefined ? this.#next() : this.#after(this.#turning);
  }

  async return(): Promise<IteratorResult<T>> {
    const first = !this.#over;
    this.#over = true;
    if (this.#waits !== undefined && this.#leaving === undefined) {
      this.#leaving = new IpcError('ECANCELED', { text: 'the loop was left' });
      this.#waits.leave(this.#leaving);
    }
    if (first) await this.#source.left?.();
    return ended();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #next(): Promise<IteratorResult<T>> {
    try {
      if (this.#over) return Promise.resolve(ended());
      const source = this.#source;
      if (source.handle.closed) return this.#wasOpen ? Promise.resolve(this.#end()) : this.#wait();
      if (source.take === undefined) return this.#wait();
      if (source.takesTurns === true && this.#inARow >= BURST) return this.#after(turn());
      const value = source.take();
      if (value === BLOCKED) return this.#wait();
      this.#inARow += 1;
      return Promise.resolve(this.#step(value));
    } catch (error) {
      return this.#fail(error);
    }
  }

  #wait(): Promise<IteratorResult<T>> {
    this.#waits ??= new IterationWait();
    return this.#source.receive(this.#waits).then(this.#waited, this.#failed);
  }

  readonly #waited = (value: T | null): IteratorResult<T> => {
    this.#inARow = 0;
    return this.#step(value);
  };

  readonly #failed = (error: unknown): IteratorResult<T> | Promise<never> =>
    this.#isEnd(error) ? this.#end() : this.#fail(error);

  #step(value: T | null): IteratorResult<T> {
    return value === null ? this.#end() : { done: false, value };
  }

  #end(): IteratorResult<T> {
    this.#over = true;
    return ended();
  }

  /** Whether a wait was ended by who iterates: the loop was left, or what it goes over closed. */
  #isEnd(error: unknown): boolean {
    const left = this.#leaving;
    if (left !== undefined && (error === left || (error as Error | null)?.cause === left)) {
      return true;
    }
    return this.#wasOpen && isIpcError(error, 'ERR_CLOSED') && this.#source.handle.closed;
  }

  async #fail(error: unknown): Promise<never> {
    const first = !this.#over;
    this.#over = true;
    if (first) await this.#source.left?.();
    throw error;
  }

  /** A step that begins when an earlier one is done, or the event loop has turned. */
  #after(turned: Promise<unknown>): Promise<IteratorResult<T>> {
    const go = (): Promise<IteratorResult<T>> => {
      if (this.#turning === step) this.#turning = undefined;
      this.#inARow = 0;
      return this.#next();
    };
    const step = turned.then(go, go);
    this.#turning = step;
    return step;
  }
}

Object.setPrototypeOf(Iteration.prototype, AsyncIterators);

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
