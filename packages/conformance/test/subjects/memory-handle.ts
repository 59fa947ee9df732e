import { closeSync, openSync } from 'node:fs';

import { IpcError, type Closable } from '@octoipc/core';
import { closedError, WaitQueue } from '@octoipc/core/kit';

/** A queue of waiters, and what wakes it. */
export class Waiters {
  #wake: (() => void) | undefined;
  readonly queue = new WaitQueue({
    listen: (wake) => {
      this.#wake = wake;
    },
    rest: () => {
      this.#wake = undefined;
    },
  });

  /** Soon, as an event loop does it: until then there is a moment in which others could overtake. */
  wake(): void {
    queueMicrotask(() => this.#wake?.());
  }
}

/** A handle of something in memory. It owns a real descriptor, so that there is something to leak. */
export abstract class MemoryHandle implements Closable {
  readonly waiters = new Waiters();
  #fd = openSync('/dev/null', 'r');

  get fd(): number {
    this.checkOpen('fd');
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
    this.waiters.queue.fail(closedError({ syscall: 'close' }));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  ref(): this {
    this.waiters.queue.ref(true);
    return this;
  }

  unref(): this {
    this.waiters.queue.ref(false);
    return this;
  }

  checkOpen(syscall: string): void {
    if (this.#fd < 0) throw new IpcError('ERR_CLOSED', { syscall });
  }
}

/** What a blocking call can do about something in memory, which nobody changes while it blocks. */
export function blockFor(
  timeout: number | undefined,
  syscall: string,
  bytesWritten?: number,
): never {
  if (timeout === undefined) throw new IpcError('EDEADLK', { syscall });
  const end = performance.now() + timeout;
  while (performance.now() < end);
  throw new IpcError('ETIMEDOUT', { syscall, bytesWritten });
}
