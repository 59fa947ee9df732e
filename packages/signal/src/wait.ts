import type { WaitOptions } from '@octoipc/core';
import { checkTimeout, optionsObject, waitOptions } from '@octoipc/core/kit';

import type { SignalInfo } from './info.js';
import { Mailbox } from './mailbox.js';
import { numbersOf, type Signal } from './names.js';
import { checkOurs } from './refusal.js';
import { SignalWatcher } from './watcher.js';

/** For one signal: others that are queued stay there. */
function single(signals: unknown): SignalWatcher {
  const numbers = numbersOf(signals);
  checkOurs(numbers, 'signals');
  return new SignalWatcher(new Mailbox(numbers, { single: true }));
}

/**
 * Waits for one signal. What comes before and afterwards meets whatever is there then: `block` the signals
 * first to have them kept, or `watch` them.
 *
 * @param signals - one or several
 * @param options - how the wait can end early
 * @returns everything that the kernel tells with the signal
 * @throws {IpcError} ETIMEDOUT when none came in time
 * @example
 * ```js
 * import { send, wait } from '@octoipc/signal';
 *
 * const hangup = wait(['SIGHUP', 'SIGTERM'], { timeout: 5000 });
 * send(process.pid, 'SIGHUP');
 * (await hangup).signal; //=> 'SIGHUP'
 * ```
 * @see sigwaitinfo(2)
 */
export async function wait(
  signals: Signal | readonly Signal[],
  options?: WaitOptions,
): Promise<SignalInfo> {
  const { signal, timeout } = waitOptions(options);
  signal?.throwIfAborted();
  using watcher = single(signals);
  const come = watcher.tryWait();
  return come ?? (await watcher.wait({ signal, timeout }));
}

/**
 * Blocks this thread until one of the signals comes.
 *
 * @param signals - one or several
 * @param options - `timeout`: the longest time to wait, in milliseconds; 0 takes what is pending
 * @returns everything that the kernel tells with the signal
 * @throws {IpcError} ETIMEDOUT when none came in time
 * @example
 * ```js
 * import { block, send, unblock, waitSync } from '@octoipc/signal';
 *
 * block('SIGRTMIN');
 * send(process.pid, 'SIGRTMIN', { value: 1 });
 * send(process.pid, 'SIGRTMIN', { value: 2 });
 * waitSync('SIGRTMIN').value; //=> 1
 * waitSync('SIGRTMIN').value; //=> 2
 * unblock('SIGRTMIN');
 * ```
 * @see sigtimedwait(2)
 */
export function waitSync(
  signals: Signal | readonly Signal[],
  options?: Pick<WaitOptions, 'timeout'>,
): SignalInfo {
  const { timeout } = optionsObject(options);
  checkTimeout(timeout);
  using watcher = single(signals);
  return watcher.waitSync({ timeout });
}
