import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, check, FdHandle, POLLIN, POLLOUT, type Direction } from '@octoipc/core/kit';

import { binding, type PipeBinding } from './binding.js';

/**
 * Waits for a descriptor that is somebody else's.
 *
 * Lifetime: works on a duplicate, so the original may be closed, and epoll may know it from elsewhere.
 */
export class Watch extends FdHandle {
  readonly #binding: PipeBinding;
  readonly #direction: Direction;

  constructor(fd: number, direction: Direction) {
    const native = binding();
    super(check(native.duplicate(fd), 'fcntl', { target: fd }), native);
    this.#binding = native;
    this.#direction = direction;
  }

  /** Waits until a call in this direction would not wait. */
  ready(options: WaitOptions): Promise<void> {
    const { fd } = this;
    const events = this.#direction === 'readable' ? POLLIN : POLLOUT;
    const attempt = (): void | typeof BLOCKED => {
      if (check(this.#binding.poll(fd, events, 0), 'poll', { target: fd }) === 0) return BLOCKED;
    };
    return this.queue(this.#direction).run(attempt, options, { details: this.describe() });
  }

  protected override describe(): { syscall: string; target: number } {
    return { syscall: 'poll', target: this.closed ? -1 : this.fd };
  }
}
