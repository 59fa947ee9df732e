import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  checkTimeout,
  POLLHUP,
  POLLIN,
  waitOptions,
  waitSync,
} from '@octoipc/core/kit';

import { PipeHandle } from './pipe-handle.js';

/** The read end of a pipe as what one waits for. */
export abstract class ReadEnd extends PipeHandle {
  /**
   * Waits until a read would not wait: data is there, or the end of file. Takes nothing.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @see poll(2)
   */
  readable(options?: WaitOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      this.#checkOpen('poll');
      const attempt = (): void | typeof BLOCKED => {
        if (!this.isReadable) return BLOCKED;
      };
      const ready = (): boolean => this.hasReturned;
      return this.queue('readable').run(attempt, wait, { details: this.details('poll'), ready });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * {@link readable} that blocks this thread.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  readableSync(options?: { readonly timeout?: number | undefined }): void {
    checkTimeout(waitOptions(options).timeout);
    waitSync(
      () => (this.isReadable ? undefined : BLOCKED),
      (milliseconds) => this.sleep(milliseconds),
      options?.timeout,
      { details: this.details('poll') },
    );
  }

  /** Whether a read would not wait: there is data, or the end of file. */
  get isReadable(): boolean {
    return this.hasReturned || this.poll() !== 0;
  }

  /** Whether this is the end of file: all writers have closed, and everything was read. */
  get ended(): boolean {
    return !this.hasReturned && this.poll() === POLLHUP;
  }

  /** @internal */
  abstract get hasReturned(): boolean;

  /** What poll(2) says of this end now: POLLIN, POLLHUP, both or nothing. */
  protected poll(): number {
    this.#checkOpen('poll');
    const { fd, binding, target } = this.end;
    return check(binding.poll(fd, POLLIN, 0), 'poll', { target });
  }

  /** Blocks this thread until a read may give something, or so many milliseconds are over. */
  protected sleep(milliseconds: number): void {
    this.end.binding.poll(this.end.fd, POLLIN, milliseconds);
  }

  /** Private, so that a method that was taken for something else finds out. */
  #checkOpen(syscall: string): void {
    this.checkOpen(syscall);
  }
}
