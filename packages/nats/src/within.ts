import { IpcError, type IpcErrorDetails, type WaitOptions } from '@octoipc/core';
import { Deadline, onAbort } from '@octoipc/core/kit';

/**
 * A promise of the client library with an end of ours: what comes later is dropped.
 *
 * @param work - what is waited for
 * @param wait - how long
 * @param details - of a timeout's error
 */
export function within<T>(
  work: Promise<T>,
  { signal, timeout }: WaitOptions,
  details: IpcErrorDetails,
): Promise<T> {
  if (signal === undefined && (timeout === undefined || timeout === Infinity)) return work;
  return new Promise<T>((resolve, reject) => {
    const settle = (settled: () => void): void => {
      deadline?.clear();
      forget?.();
      settled();
    };
    const deadline =
      timeout === undefined || timeout === Infinity
        ? undefined
        : new Deadline(timeout, () => settle(() => reject(new IpcError('ETIMEDOUT', details))));
    const forget = signal && onAbort(signal, () => settle(() => reject(signal.reason as Error)));
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error as Error)),
    );
  });
}

/** What is left of a wait, each time it is asked for. */
export function leftOf({ signal, timeout }: WaitOptions): () => WaitOptions {
  const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
  return () =>
    deadline === Infinity
      ? { signal }
      : { signal, timeout: Math.max(0, deadline - performance.now()) };
}
