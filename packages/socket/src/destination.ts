import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, check, FdHandle, POLLOUT, Turn } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { AF_UNIX, SOCK_DGRAM } from './constants.js';
import type { Route } from './place.js';

/**
 * A receiver that is full, and those who wait until it has room.
 *
 * Lifetime: as long as somebody waits for it. Its socket is connected to the receiver and never sends: it
 * is what the kernel says of that it becomes writable when the receiver has read something, or is gone.
 */
export class Destination extends FdHandle {
  /** Who is next. */
  readonly turn: Turn = new Turn();
  /** How many wait for this receiver. */
  users = 0;
  readonly #fd: number;
  readonly #target: string | number;

  private constructor(fd: number, target: string | number) {
    super(fd, binding());
    this.#fd = fd;
    this.#target = target;
  }

  static of(route: Route, target: string | number): Destination {
    const native = binding();
    const fd = check(native.socket(AF_UNIX, SOCK_DGRAM, 0, true), 'socket');
    const destination = new Destination(fd, target);
    try {
      check(native.connect(fd, route.bytes), 'connect', { target });
      return destination;
    } catch (error) {
      destination.close();
      throw error;
    }
  }

  /** Whether those who wait keep the process alive. */
  keep(alive: boolean): this {
    this.turn.ref(alive);
    return alive ? this.ref() : this.unref();
  }

  /** Waits until the receiver has room. */
  ready(options: WaitOptions): Promise<void> {
    // poll(2) itself asks the kernel to tell when the receiver reads: unix_dgram_poll.
    const attempt = (): void | typeof BLOCKED => {
      if (check(binding().poll(this.#fd, POLLOUT, 0), 'poll', this.describe()) === 0)
        return BLOCKED;
    };
    return this.queue('writable').run(attempt, options, { details: this.describe() });
  }

  /** Blocks this thread until the receiver has room, or so many milliseconds are over. */
  sleep(milliseconds: number): void {
    binding().poll(this.#fd, POLLOUT, milliseconds);
  }

  /** Rejects everyone who waits. */
  fail(error: unknown): void {
    this.close();
    this.turn.fail(() => error);
  }

  protected override describe(): { syscall: string; target: string | number } {
    return { syscall: 'sendmsg', target: this.#target };
  }
}
