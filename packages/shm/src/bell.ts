import { check, FdSource, Readiness } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { EADDRINUSE } from './errno.js';

/** Nobody sleeps longer without looking again, in milliseconds: so soon is a death known. */
export const SLICE = 30;

/** A bell's descriptor, and the number of it where who waits has looked for a free one. */
export interface OpenedBell {
  readonly fd: number;
  /** -1: nobody knows it. */
  readonly number: number;
}

/** Opens the bell of this name. Where the name is taken it is never rung: who waits looks from time to time. */
export function openBell(name: string): number {
  return check(binding().bellOpen(name, false), 'socket');
}

/** Opens the first bell of this prefix that nobody has. */
export function openFreeBell(prefix: string, bells: number): OpenedBell {
  for (let number = 0; number < bells; number++) {
    const fd = binding().bellOpen(`${prefix}${number}`, true);
    if (fd !== EADDRINUSE) return { fd: check(fd, 'socket'), number };
  }
  return { fd: openBell(''), number: -1 };
}

let callers = -1;

/**
 * Rings the bell of this name, if there is one. Where that cannot be, who waits looks from time to time: what he waits
 * for is there already, so it is no failure of who brought it.
 */
export function ringBell(name: string): void {
  const native = binding();
  if (callers < 0) callers = native.bellOpen('', false);
  if (callers >= 0) native.bellRing(callers, name);
}

/**
 * What wakes who waits on the event loop: his bell, and every 30 ms a look whether the other side is alive.
 *
 * Lifetime: from the first wait until `close()`. It refers to who waits only while he does. The interval
 * runs while somebody waits, and one round longer, so that waits that follow each other do not start it
 * each time.
 */
export class Bell {
  readonly #fd: number;
  readonly #source: FdSource;
  #look: (() => void) | undefined;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #idle = false;

  /** @param fd - of a bell; this owns it */
  constructor(fd: number) {
    this.#fd = fd;
    this.#source = new FdSource(Readiness.of(binding()), fd);
  }

  /**
   * @param wake - called when somebody rang, and every 30 ms
   * @param look - called every 30 ms before that
   */
  listen(wake: () => void, look: () => void): void {
    const fd = this.#fd;
    this.#source.readable.listen(() => {
      binding().bellDrain(fd);
      wake();
      return true;
    });
    this.#wake = wake;
    this.#look = look;
    this.#idle = false;
    this.#timer ??= setInterval(() => this.#tick(), SLICE).unref();
  }

  rest(): void {
    this.#source.readable.rest();
    this.#wake = this.#look = undefined;
  }

  ref(alive: boolean): void {
    this.#source.ref(alive);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#source.dispose();
    binding().close(this.#fd);
  }

  #tick(): void {
    if (this.#wake !== undefined) {
      this.#idle = false;
      this.#look?.();
      // It may have closed us.
      this.#wake?.();
    } else if (this.#idle) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else {
      this.#idle = true;
    }
  }
}
