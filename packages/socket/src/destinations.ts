import type { WaitOptions } from '@octoipc/core';
import { IpcError, BLOCKED } from '@octoipc/core/kit';

import { Destination } from './destination.js';
import type { Route } from './place.js';

/** The sender's own buffer. */
export interface OwnBuffer {
  /** Whether it has room. */
  hasRoom(): boolean;
  /** Waits until it has. */
  room(options: WaitOptions): Promise<void>;
}

/**
 * Receivers of an unconnected socket that are full, each with those who wait for it.
 *
 * Of an unconnected socket the kernel says that it is writable even where the receiver is full: so we
 * wait for a socket of our own that is connected to the receiver.
 */
export class Destinations {
  readonly #all = new Map<string, Destination>();
  readonly #own: OwnBuffer;
  #alive = true;

  constructor(own: OwnBuffer) {
    this.#own = own;
  }

  /** Whether somebody waits for this receiver. */
  isWaiting(route: Route): boolean {
    return this.#all.has(route.key);
  }

  /** Sends when the receiver has room, after those who came before. */
  async send(
    route: Route,
    target: string,
    put: () => void | typeof BLOCKED,
    wait: WaitOptions,
  ): Promise<void> {
    if (!this.isWaiting(route) && put() !== BLOCKED) return;
    const details = { syscall: 'sendmsg', target };
    if (wait.timeout === 0) throw new IpcError('ETIMEDOUT', details);
    const deadline = wait.timeout === undefined ? Infinity : performance.now() + wait.timeout;
    const left = (): WaitOptions => ({
      signal: wait.signal,
      ...(deadline === Infinity ? {} : { timeout: Math.max(0, deadline - performance.now()) }),
    });
    const destination = this.#enter(route, target);
    try {
      if (!destination.turn.tryTake()) await destination.turn.take(left(), details);
      try {
        while (put() === BLOCKED) {
          if (this.#own.hasRoom()) await destination.ready(left());
          else await this.#own.room(left());
        }
      } finally {
        destination.turn.pass();
      }
    } finally {
      this.#leave(route, destination);
    }
  }

  /** Whether those who wait keep the process alive. */
  ref(alive: boolean): void {
    this.#alive = alive;
    for (const destination of this.#all.values()) destination.keep(alive);
  }

  /** Rejects everyone who waits; an error is made only for somebody. */
  fail(makeError: () => unknown): void {
    if (this.#all.size === 0) return;
    const error = makeError();
    for (const destination of this.#all.values()) destination.fail(error);
    this.#all.clear();
  }

  #enter(route: Route, target: string): Destination {
    const key = route.key;
    let destination = this.#all.get(key);
    if (destination === undefined) {
      destination = Destination.of(route, target).keep(this.#alive);
      this.#all.set(key, destination);
    }
    destination.users += 1;
    return destination;
  }

  #leave(route: Route, destination: Destination): void {
    destination.users -= 1;
    if (destination.users > 0) return;
    destination.close();
    this.#all.delete(route.key);
  }
}
