import { timeoutError } from './errors.js';
import { BLOCKED, YIELD, type Attempt, type Operation } from './wait.js';

/** The longest that a blocking call sleeps before JavaScript gets a chance to be terminated. */
const SLICE = 100;

/**
 * Waits on the calling thread: tries, sleeps in the kernel until something may have changed, tries
 * again. It sleeps in slices, so that `worker.terminate()` ends a worker that waits here.
 *
 * @param attempt - one try
 * @param sleep - sleeps up to so many milliseconds in the kernel
 * @param timeout - the longest time to wait
 * @param operation - names the call in a timeout's error
 * @returns what the attempt gave
 */
export function waitSync<T>(
  attempt: Attempt<T>,
  sleep: (milliseconds: number) => void,
  timeout: number | undefined,
  operation: Operation,
): T {
  let result = attempt();
  const deadline = timeout === undefined ? 0 : performance.now() + timeout;
  while (result === BLOCKED || result === YIELD) {
    const left = timeout === undefined ? SLICE : deadline - performance.now();
    if (left <= 0) {
      const error = timeoutError(operation.details);
      throw operation.cancelled === undefined ? error : operation.cancelled(error);
    }
    if (result === BLOCKED) sleep(Math.min(Math.ceil(left), SLICE));
    result = attempt();
  }
  return result;
}
