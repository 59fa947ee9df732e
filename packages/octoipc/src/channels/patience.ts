import { isIpcError, IpcError, type WaitOptions } from '@octoipc/core';
import { onAbort } from '@octoipc/core/kit';

/** What a connect fails with while nobody listens yet. */
const NOT_YET: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED']);

const FIRST = 1;
const LONGEST = 100;

/**
 * Connects to somebody who may not be there yet: tries again, after 1, 2, 4 … 100 ms, of which the kernel
 * gives no notice.
 *
 * @param connect - one attempt, in the time that is left
 * @param target - for the error
 * @param wait - how long
 * @throws {IpcError} ETIMEDOUT when the time is over; its cause is the last failure
 */
export async function patiently<T>(
  connect: (left: WaitOptions) => Promise<T>,
  target: string,
  { signal, timeout = Infinity }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeout;
  const left = (): number => Math.max(0, deadline - performance.now());
  for (let pause = FIRST; ; pause = Math.min(2 * pause, LONGEST)) {
    try {
      return await connect({ signal, ...(timeout === Infinity ? {} : { timeout: left() }) });
    } catch (error) {
      if (!isIpcError(error) || !NOT_YET.has(error.code)) throw error;
      const remaining = left();
      if (remaining === 0) {
        const hint = `nobody listens there (${error.code}): start the receiver first, or wait longer`;
        throw new IpcError('ETIMEDOUT', { syscall: 'connect', target, hint, cause: error });
      }
      await passing(Math.min(pause, remaining), signal);
    }
  }
}

function passing(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      forget?.();
      resolve();
    }, Math.ceil(milliseconds));
    const forget =
      signal &&
      onAbort(signal, () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
  });
}
