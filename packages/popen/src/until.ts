import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import { Deadline, onAbort, timeoutError } from '@octoipc/core/kit';

/**
 * Waits for a promise, which nothing of this cancels.
 *
 * @param promise - what is waited for
 * @param options - checked already
 * @param details - the call's name and target, for a timeout's error
 * @returns what the promise gives
 */
export function until<T>(
  promise: Promise<T>,
  { signal, timeout }: WaitOptions,
  details: IpcErrorDetails,
): Promise<T> {
  if (signal === undefined && (timeout === undefined || timeout === Infinity)) return promise;
  if (signal?.aborted === true) {
    // Its failure, too, is nobody's any more.
    promise.catch(() => undefined);
    return Promise.reject(signal.reason as Error);
  }
  return new Promise<T>((resolve, reject) => {
    const deadline =
      timeout === undefined || timeout === Infinity
        ? undefined
        : new Deadline(timeout, () => give(() => reject(timeoutError(details))));
    const give = (settle: () => void): void => {
      deadline?.clear();
      forget?.();
      settle();
    };
    const forget = signal && onAbort(signal, () => give(() => reject(signal.reason as Error)));
    promise.then(
      (value) => give(() => resolve(value)),
      (error: unknown) => give(() => reject(error as Error)),
    );
  });
}
