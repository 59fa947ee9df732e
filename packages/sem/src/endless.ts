import { inMainThread } from '@octoipc/core/kit';

/** Sleeps for as long as it takes. */
export const ENDLESS = -1;

/**
 * Whether a blocking call may sleep in one go: nobody terminates the main thread, and no time is over.
 *
 * @param timeout - the caller's
 */
export function isEndless(timeout: number | undefined): boolean {
  return timeout === undefined && inMainThread();
}
