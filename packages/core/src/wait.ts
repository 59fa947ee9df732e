import { onAbort } from './abort.js';
import { Deadline } from './deadline.js';
import { timeoutError, type IpcErrorDetails } from './errors.js';
import { IN_A_ROW } from './pace.js';
import { optionsObject, rangeError, typeError } from './validate.js';

/** How a wait can end early. */
export interface WaitOptions {
  /** Aborts the wait, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The longest time to wait, in milliseconds of the monotonic clock; 0 tries once.
   *
   * @default Infinity
   */
  readonly timeout?: number | undefined;
}

/** What an attempt answers when it would have to wait. */
export const BLOCKED: unique symbol = Symbol('blocked');

/** What an attempt answers when it could go on, but others should have their turn first. */
export const YIELD: unique symbol = Symbol('yield');

/** One try of an operation: its result, {@link BLOCKED} or {@link YIELD}. It must not wait. */
export type Attempt<T> = () => T | typeof BLOCKED | typeof YIELD;

/** What tells a queue that trying again may succeed. */
export interface WakeSource {
  /** From now on call `wake` whenever an attempt may succeed. */
  listen(wake: () => void): void;
  /** Nobody waits any more. */
  rest(): void;
}

/** Checks wait options. */
export function waitOptions(options: WaitOptions | undefined): WaitOptions {
  if (options === undefined) return NO_OPTIONS;
  const { signal, timeout } = optionsObject(options);
  if (
    signal !== undefined &&
    !(
      typeof signal === 'object' &&
      signal !== null &&
      'aborted' in signal &&
      'addEventListener' in signal
    )
  ) {
    throw typeError('options.signal', 'an AbortSignal', signal);
  }
  checkTimeout(timeout);
  return options;
}

const NO_OPTIONS: WaitOptions = {};

/** Checks a timeout in milliseconds; fractions and Infinity are allowed. */
export function checkTimeout(timeout: unknown): void {
  if (timeout === undefined) return;
  if (typeof timeout !== 'number') throw typeError('options.timeout', 'a number', timeout);
  if (!(timeout >= 0)) throw rangeError('options.timeout', 'milliseconds from 0 up', timeout);
}

interface Waiter {
  attempt(): typeof DONE | typeof BLOCKED | typeof YIELD;
  /** Rejects; with the error as the operation tells it. */
  fail(error: unknown): void;
  deadline: Deadline | undefined;
}

const DONE: unique symbol = Symbol('done');

/** What an operation tells its queue beside the attempt. */
export interface Operation {
  /** The call's name and target, for a timeout's error. */
  readonly details: IpcErrorDetails;
  /** Completes the error of a cancelled wait: what had been done by then. */
  readonly cancelled?: (error: unknown) => unknown;
}

/**
 * Waiters of one handle and one direction, served first come, first served.
 *
 * Lifetime:
 * 1. The queue listens to its source only while somebody waits; an idle one pins nothing.
 * 2. An attempt runs synchronously: once it has taken something, its promise resolves with it, and no
 *    abort or timeout can come in between. So a cancelled wait has taken nothing.
 * 3. Of calls that need not wait every 64th is served after a turn of the event loop, so that a loop over
 *    a source that never runs dry leaves others their time.
 * 4. `fail` rejects all that wait, in their order.
 */
export class WaitQueue {
  readonly #source: WakeSource;
  readonly #waiters: Waiter[] = [];
  #alive = true;
  #scheduled = false;
  #inARow = 0;
  #running = false;
  #woken = false;
  readonly #wake = (): void => this.#run();

  constructor(source: WakeSource) {
    this.#source = source;
  }

  /** How many wait now. */
  get length(): number {
    return this.#waiters.length;
  }

  /** Whether deadlines of this queue keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    for (const waiter of this.#waiters) waiter.deadline?.ref(alive);
  }

  /** Tries at once if nobody waits; else queues behind those who do. */
  run<T>(attempt: Attempt<T>, options: WaitOptions, operation: Operation): Promise<T> {
    const { signal, timeout } = options;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    let yields = false;
    if (this.#waiters.length === 0 && this.#inARow >= IN_A_ROW && timeout !== 0) {
      yields = true;
    } else if (this.#waiters.length === 0) {
      this.#inARow += 1;
      try {
        const result = attempt();
        if (result !== BLOCKED && result !== YIELD) return Promise.resolve(result);
        yields = result === YIELD;
      } catch (error) {
        return Promise.reject(error as Error);
      }
    }
    const cancelled = operation.cancelled ?? same;
    if (timeout === 0) return Promise.reject(cancelled(timeoutError(operation.details)) as Error);
    return new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        waiter.deadline?.clear();
        forget?.();
      };
      const waiter: Waiter = {
        deadline: undefined,
        attempt: () => {
          try {
            const result = attempt();
            if (result === BLOCKED) return BLOCKED;
            if (result === YIELD) return YIELD;
            settle();
            resolve(result);
          } catch (error) {
            settle();
            reject(error as Error);
          }
          return DONE;
        },
        fail: (error) => {
          settle();
          reject(cancelled(error) as Error);
        },
      };
      const cancel = (error: unknown): void => {
        this.#remove(waiter);
        waiter.fail(error);
      };
      const forget = signal && onAbort(signal, () => cancel(signal.reason));
      if (timeout !== undefined && timeout !== Infinity) {
        waiter.deadline = new Deadline(timeout, () => cancel(timeoutError(operation.details)));
        if (!this.#alive) waiter.deadline.ref(false);
      }
      this.#add(waiter);
      if (yields) this.#continue();
    });
  }

  /** Rejects everyone who waits. */
  fail(error: unknown): void {
    const waiters = this.#waiters.splice(0);
    if (waiters.length > 0) this.#source.rest();
    for (const waiter of waiters) waiter.fail(error);
  }

  #add(waiter: Waiter): void {
    this.#waiters.push(waiter);
    if (this.#waiters.length > 1) return;
    try {
      this.#source.listen(this.#wake);
    } catch (error) {
      this.#waiters.pop();
      waiter.fail(error);
    }
  }

  #remove(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    if (this.#waiters.length === 0) this.#source.rest();
    // The head may have been what the others queued behind: what it could not take may suit the next.
    else if (index === 0) this.#run();
  }

  /** Goes on when the event loop has turned once. */
  #continue(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#run();
    });
  }

  #run(): void {
    // An attempt may itself bring in what it waits for: the turn that goes on already takes it.
    if (this.#running) {
      this.#woken = true;
      return;
    }
    this.#running = true;
    try {
      this.#serve();
    } finally {
      this.#running = false;
    }
  }

  #serve(): void {
    this.#inARow = 0;
    const waiters = this.#waiters;
    while (waiters.length > 0) {
      const head = waiters[0]!;
      this.#woken = false;
      const outcome = head.attempt();
      if (outcome === YIELD) this.#continue();
      if (outcome === BLOCKED && this.#woken) continue;
      if (outcome !== DONE) return;
      // The attempt's own callbacks run later, so the head is still the first unless it was closed.
      if (waiters[0] === head) waiters.shift();
    }
    this.#source.rest();
  }
}

function same(error: unknown): unknown {
  return error;
}
