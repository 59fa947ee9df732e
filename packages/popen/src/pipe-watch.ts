import type { IpcErrorDetails } from '@octoipc/core';
import { FdHandle, type Attempt, type Direction } from '@octoipc/core/kit';

import { binding } from './binding.js';

/**
 * Waits beside the reads of a pipe, by a duplicate: two polls of one number would end each other.
 *
 * Lifetime: until its one wait is over, or `close()`. It does not keep this process alive.
 */
export class PipeWatch extends FdHandle {
  private constructor(fd: number) {
    super(fd, binding());
    this.unref();
  }

  /**
   * A watch of somebody else's descriptor.
   *
   * @param fd - open
   * @returns undefined where no descriptor is left
   */
  static of(fd: number): PipeWatch | undefined {
    const copy = binding().adoptCopy(fd);
    return copy < 0 ? undefined : new PipeWatch(copy);
  }

  /** Resolves once an attempt succeeds or fails, or this is closed, which it is then. */
  async until(direction: Direction, attempt: Attempt<unknown>): Promise<void> {
    const wait = this.queue(direction).run(attempt, {}, { details: this.describe() });
    await wait.catch(() => undefined);
    this.close();
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'poll' };
  }
}
