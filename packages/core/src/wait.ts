import { isLasting, onAbort } from './abort.js';
import { BLOCKED, YIELD, type Attempt, type Operation } from './attempt.js';
import { Deadline } from './deadline.js';
import { timeoutError } from './errors.js';
import { IterationWait } from './iteration-wait.js';
import { IN_A_ROW } from './pace.js';
import { optionsObject, rangeError, typeError } from './validate.js';
import { DONE, Waiter } from './waiter.js';

export { BLOCKED, YIELD, type Attempt, type Operation } from './attempt.js';

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

/** What tells a queue that trying again may succeed. */
export interface WakeSource {
  /**
   * From now on call `wake` whenever an attempt may succeed; a queue's answers whether one did.
   */
  listen(wake: () => void): void;
  /** Nobody waits any more. */
  rest(): void;
  /** Whether `wake` is called, too, for what is there already when `listen` is called. */
  readonly tellsLevels?: boolean;
}

/** Checks wait options. */
export function waitOptions(options: WaitOptions | undefined): WaitOptions {
  if (options === undefined) return NO_OPTIONS;
  if (options instanceof IterationWait) return options;
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

/** After so many calls in a row that had to wait the next ones are taken to have to. */
const DIALOGUE = 8;

/** In a dialogue every so many calls try all the same. */
const LOOK_AGAIN = 16;

/**
 * Waiters of one handle and one direction, served first come, first served.
 *
 * Lifetime:
 * 1. The queue listens to its source only while somebody waits; an idle one pins nothing.
 * 2. An attempt runs synchronously: once it has taken something, its promise resolves with it, and no
 *    abort or timeout can come in between. So a cancelled wait has taken nothing.
 * 3. Of calls that need not wait every 64th is served after a turn of the event loop, so that a loop over
 *    a source that never runs dry leaves others their time.
 * 4. Where the source tells of what is there already, a call does not try before it waits, if those before
 *    it all had to.
 * 5. A call that queues is told so before it returns, tried or not: that is when to copy what the caller may change.
 * 6. Whose time is over tries once more: a timer may come before what came in time.
 * 7. `fail` rejects all that wait, in their order.
 */
export class WaitQueue {
  readonly #source: WakeSource;
  readonly #waiters: Waiter<unknown>[] = [];
  #alive = true;
  #scheduled = false;
  #inARow = 0;
  /** Calls in a row that had to wait. */
  #hadToWait = 0;
  #running = false;
  #woken = false;
  readonly #wake = (): boolean => this.#run();

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
    const timed = timeout !== undefined && timeout !== Infinity;
    // Who iterates has looked already, or leaves it to the first that tells.
    const looks =
      timed || (signal !== undefined && !(options instanceof IterationWait) && !isLasting(signal));
    let yields = false;
    if (
      this.#waiters.length === 0 &&
      (looks || operation.ready?.() === true || !this.#willWait())
    ) {
      if (this.#inARow >= IN_A_ROW && timeout !== 0) {
        yields = true;
      } else {
        this.#inARow += 1;
        try {
          const result = attempt();
          this.#hadToWait = result === BLOCKED ? this.#hadToWait + 1 : 0;
          if (result !== BLOCKED && result !== YIELD) return Promise.resolve(result);
          yields = result === YIELD;
        } catch (error) {
          return Promise.reject(error as Error);
        }
      }
    }
    if (timeout === 0) {
      const error = timeoutError(operation.details);
      return Promise.reject((operation.cancelled?.(error) ?? error) as Error);
    }
    operation.queued?.();
    const waiter = new Waiter(attempt, operation);
    if (timed || signal !== undefined) this.#limit(waiter as Waiter<unknown>, options);
    this.#add(waiter as Waiter<unknown>);
    if (yields) this.#continue();
    return waiter.promise;
  }

  /** Something that the source does not know of may have come. */
  wake(): void {
    if (this.#waiters.length > 0) this.#run();
  }

  /** Rejects everyone who waits. */
  fail(error: unknown): void {
    const waiters = this.#waiters.splice(0);
    if (waiters.length > 0) this.#source.rest();
    for (const waiter of waiters) waiter.fail(error);
  }

  /** Whether a call is taken to have to wait without a look; what is there is told of then. */
  #willWait(): boolean {
    if (this.#hadToWait < DIALOGUE || this.#source.tellsLevels !== true) return false;
    this.#hadToWait += 1;
    return this.#hadToWait % LOOK_AGAIN !== 0;
  }

  #limit(waiter: Waiter<unknown>, options: WaitOptions): void {
    const { signal, timeout } = options;
    const cancel = (error: unknown): void => {
      this.#remove(waiter);
      waiter.fail(error);
    };
    if (options instanceof IterationWait) {
      waiter.forget = options.join(() => cancel(options.signal.reason));
      return;
    }
    waiter.forget = signal && onAbort(signal, () => cancel(signal.reason));
    if (timeout === undefined || timeout === Infinity) return;
    waiter.deadline = new Deadline(timeout, () => {
      // Where the event loop was busy, what came in time was not told of yet.
      this.#run();
      if (this.#waiters.includes(waiter)) cancel(timeoutError(waiter.operation.details));
    });
    if (!this.#alive) waiter.deadline.ref(false);
  }

  #add(waiter: Waiter<unknown>): void {
    this.#waiters.push(waiter);
    if (this.#waiters.length > 1) return;
    try {
      this.#source.listen(this.#wake);
    } catch (error) {
      this.#waiters.pop();
      waiter.fail(error);
    }
  }

  #remove(waiter: Waiter<unknown>): void {
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

  /** Whether somebody was served, or will be. */
  #run(): boolean {
    // An attempt may itself bring in what it waits for: the turn that goes on already takes it.
    if (this.#running) {
      this.#woken = true;
      return true;
    }
    this.#running = true;
    try {
      return this.#serve();
    } finally {
      this.#running = false;
    }
  }

  #serve(): boolean {
    this.#inARow = 0;
    const waiters = this.#waiters;
    let served = false;
    while (waiters.length > 0) {
      const head = waiters[0]!;
      this.#woken = false;
      const outcome = head.attempt();
      if (outcome === YIELD) this.#continue();
      if (outcome === BLOCKED && this.#woken) continue;
      if (outcome !== DONE) return served || outcome === YIELD;
      served = true;
      // The attempt's own callbacks run later, so the head is still the first unless it was closed.
      if (waiters[0] === head) waiters.shift();
    }
    this.#source.rest();
    return served;
  }
}
