import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  checkTimeout,
  codeOfErrno,
  FdHandle,
  integer,
  optionsObject,
  POLLIN,
  waitOptions,
  waitSync,
} from '@octoipc/core/kit';

import { binding } from './binding.js';

/** How a counter is made. */
export interface __Pascal__Options {
  /**
   * What it starts with.
   *
   * @default 0
   */
  readonly value?: number;
}

/**
 * A counter of the kernel: whoever waits takes one from it.
 *
 * @example
 * ```js
 * import { __Pascal__ } from '@octoipc/__name__';
 *
 * const counter = __Pascal__.create();
 * counter.notify();
 * await counter.wait();
 * counter.tryWait(); //=> false
 * counter.close();
 * ```
 * @see eventfd(2)
 */
export class __Pascal__ extends FdHandle {
  private constructor(fd: number) {
    super(fd, binding());
  }

  /**
   * Makes a counter.
   *
   * @param options - what it starts with
   * @returns the counter, which is close-on-exec
   * @throws {IpcError} EMFILE when this process has too many descriptors
   * @throws {RangeError} ERR_OUT_OF_RANGE when the value is no whole number up to 2^32 - 1
   * @see eventfd(2)
   */
  static create(options?: __Pascal__Options): __Pascal__ {
    const { value = 0 } = optionsObject(options);
    integer(value, 'options.value', 0, 0xffffffff);
    return new __Pascal__(check(binding().create(value), 'eventfd'));
  }

  /**
   * Adds to the counter, which lets as many waits succeed.
   *
   * @param count - how much
   * @throws {IpcError} EAGAIN when the counter would overflow
   */
  notify(count = 1): void {
    integer(count, 'count', 1, 0xffffffff);
    check(binding().add(this.fd, count), 'write', this.describe());
  }

  /**
   * Takes one from the counter; waits while it is zero.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the counter is closed, now or while it waits
   */
  wait(options?: WaitOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      const details = { syscall: 'read', target: this.fd };
      return this.queue('readable').run(() => this.#take(), wait, { details });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Takes one from the counter without waiting.
   *
   * @returns whether there was one, and nobody waits for it already
   */
  tryWait(): boolean {
    const { fd } = this;
    return fd >= 0 && this.waiting('readable') === 0 && this.#take() !== BLOCKED;
  }

  /**
   * Takes one from the counter; blocks this thread while it is zero.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  waitSync(options?: { readonly timeout?: number | undefined }): void {
    const { timeout } = optionsObject(options);
    checkTimeout(timeout);
    const { fd } = this;
    const sleep = (milliseconds: number): unknown => binding().poll(fd, POLLIN, milliseconds);
    waitSync(() => this.#take(), sleep, timeout, { details: { syscall: 'read', target: fd } });
  }

  protected override describe(): IpcErrorDetails {
    return this.closed ? { target: '__name__' } : { target: this.fd };
  }

  #take(): undefined | typeof BLOCKED {
    const result = binding().take(this.fd);
    if (result < 0 && codeOfErrno(result) === 'EAGAIN') return BLOCKED;
    check(result, 'read', this.describe());
    return undefined;
  }
}
