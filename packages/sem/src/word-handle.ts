import type { WaitOptions } from '@octoipc/core';
import {
  type Attempt,
  closedError,
  IpcError,
  type OwnedResource,
  ResourceHandle,
  waitOptions,
  WaitQueue,
  waitSync,
} from '@octoipc/core/kit';

import { isEndless } from './endless.js';
import type { WordSource } from './word-source.js';

/** A blocked thread looks again so often, where the keeper does not for it: see `kSlice` in word_watch.cc. */
export const SLICE = 20;
export const ASYNC = 'asynchronous calls wait on this handle: await them before a blocking one';

/** How errors name a call. */
export interface CallDetails {
  readonly syscall: string;
  readonly target: string;
}

/**
 * A handle whose operations wait for words in shared memory, first come, first served.
 *
 * Lifetime: `close` rejects those who wait, and then lets the memory go.
 */
export abstract class WordHandle extends ResourceHandle {
  readonly #source: WordSource;
  readonly #queue: WaitQueue;
  /** How errors name it. */
  readonly #target: string;

  /** @internal */
  protected constructor(resource: OwnedResource, source: WordSource, target: string) {
    super(resource);
    this.#source = source;
    this.#queue = new WaitQueue(source);
    this.#target = target;
  }

  /** Pending waits reject with `ERR_CLOSED`. Closing again does nothing. */
  override close(): void {
    if (this.closed) return;
    if (this.#queue.length > 0) this.#queue.fail(closedError(this.describe()));
    super.close();
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    return this.#setAlive(true);
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    return this.#setAlive(false);
  }

  /** @internal */
  protected details(syscall: string): CallDetails {
    return { syscall, target: this.#target };
  }

  /** @internal It is open. */
  protected check(syscall: string): void {
    if (this.closed) throw closedError(this.details(syscall));
  }

  /** @internal A wait whose options are checked, and which rejects with what is thrown. */
  protected begin<T>(
    options: WaitOptions | undefined,
    syscall: string,
    run: (wait: WaitOptions) => Promise<T>,
  ): Promise<T> {
    try {
      const wait = waitOptions(options);
      this.check(syscall);
      return run(wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @internal How many wait on this handle. */
  protected get pending(): number {
    return this.#queue.length;
  }

  /** @internal */
  protected run<T>(
    attempt: Attempt<T>,
    options: WaitOptions,
    syscall: string,
    cancelled?: (error: unknown) => unknown,
  ): Promise<T> {
    const details = this.details(syscall);
    return this.#queue.run(
      attempt,
      options,
      cancelled === undefined ? { details } : { details, cancelled },
    );
  }

  /**
   * @internal
   * @param slice - the longest sleep, in milliseconds; by default so long as nobody is to miss a death, or where
   *   the thread may sleep for as long as it takes, with the keeper to look for it
   */
  protected runSync<T>(
    attempt: Attempt<T>,
    timeout: number | undefined,
    syscall: string,
    slice?: number,
  ): T {
    this.refuseBlocking(syscall);
    const details = this.details(syscall);
    const sleep =
      slice === undefined && isEndless(timeout)
        ? () => this.#source.sleepLooking()
        : (milliseconds: number) => this.#source.sleep(Math.min(milliseconds, slice ?? SLICE));
    return waitSync(attempt, sleep, timeout, { details });
  }

  /** @internal Who waits already comes first, and this thread would not let him. */
  protected refuseBlocking(syscall: string): void {
    if (this.#queue.length === 0) return;
    throw new IpcError('EBUSY', { ...this.details(syscall), hint: ASYNC });
  }

  #setAlive(alive: boolean): this {
    this.#source.ref(alive);
    this.#queue.ref(alive);
    return this;
  }
}
