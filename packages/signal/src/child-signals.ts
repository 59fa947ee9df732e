import { constants } from 'node:os';

import { inMainThread } from '@octoipc/core/kit';

const { SIGCHLD } = constants.signals;

const ignore = (): void => undefined;

/**
 * Keeps SIGCHLD handled while it is watched.
 *
 * When the last child of `child_process` has ended, libuv sets the signal to its default; then the kernel
 * discards one that is pending, blocked or not, which may be that of this very end: sigaction(2), POSIX. A
 * listener keeps libuv from that.
 *
 * Lifetime: from the first `enter` to the last `leave`. Only the main thread has such listeners.
 */
export class ChildSignals {
  #watchers = 0;

  enter(numbers: ReadonlySet<number>): void {
    if (!numbers.has(SIGCHLD) || !inMainThread()) return;
    this.#watchers += 1;
    if (this.#watchers === 1) process.on('SIGCHLD', ignore);
  }

  leave(numbers: ReadonlySet<number>): void {
    if (!numbers.has(SIGCHLD) || !inMainThread()) return;
    this.#watchers -= 1;
    if (this.#watchers === 0) process.off('SIGCHLD', ignore);
  }
}
