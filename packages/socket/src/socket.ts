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
export interface SocketOptions {
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
 * import { Socket } from '@octoipc/socket';
 *
 * const counter = Socket.create();
 * counter.notify();
 * await counter.wait();
 * counter.tryWait(); //=> false
 * counter.close();
 * ```
 * @see eventfd(2)
 */
export class Socket extends FdHandle {
  readonly #details: IpcErrorDetails;

  private constructor(fd: number) {
    super(fd, binding());
    this.#details = { syscall: 'read', target: fd };
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
  static create(options?: SocketOptions): Socket {
    const { value = 0 } = optionsObject(options);
    integer(value, 'options.value', 0, 0xffffffff);
    return new Socket(check(binding().create(value), 'eventfd'));
  }

  /**
   * Adds to the counter, which lets as many waits succeed.
   *
   * @param count - how much
   * @throws {IpcError} EAGAIN when the counter would overflow
   */
  notify(count = 1): void {
    integer(count, 'count', 1, 0xffffffff);
    const { fd } = this;
    check(binding().add(fd, count), 'write', { target: fd });
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
      return this.queue('readable').run(() => this.#take(), wait, { details: this.#details });
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
    return this.waiting('readable') === 0 && this.#take() !== BLOCKED;
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
    waitSync(() => this.#take(), sleep, timeout, { details: this.#details });
  }

  protected override describe(): IpcErrorDetails {
    return this.#details;
  }

  #take(): undefined | typeof BLOCKED {
    const result = binding().take(this.fd);
    if (result < 0 && codeOfErrno(result) === 'EAGAIN') return BLOCKED;
    check(result, 'read', this.#details);
    return undefined;
  }
}
