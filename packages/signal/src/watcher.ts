import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  closedError,
  IpcError,
  iterate,
  onAbort,
  optionalBoolean,
  optionsObject,
  ResourceHandle,
  waitOptions,
  WaitQueue,
  waitSync,
  checkTimeout,
  type Operation,
} from '@octoipc/core/kit';

import type { SignalInfo } from './info.js';
import { Mailbox } from './mailbox.js';
import { nameOf, numbersOf, type Signal } from './names.js';
import { checkOurs } from './refusal.js';
import { station } from './station.js';

/** How to watch. */
export interface WatchOptions {
  /** Aborts the watching: the watcher closes, and what waits rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Only looks on: when those who watch have been told, the default action, or whoever else handles the
   * signal, takes its course.
   *
   * @default false
   */
  readonly observe?: boolean | undefined;
}

/**
 * Signals as they come.
 *
 * Lifetime:
 * 1. From construction until `close()` the signals are blocked in every thread of the process and taken from
 *    the kernel's queue; what was there before is put back when the last watcher of a signal goes.
 * 2. A pending wait keeps the process alive, an idle watcher does not; `unref()` changes that.
 * 3. A dropped one is closed when it is collected, with one warning.
 *
 * @see signalfd(2)
 */
export class SignalWatcher extends ResourceHandle implements AsyncIterable<SignalInfo> {
  /** What is watched. */
  readonly signals: readonly string[];
  readonly #mailbox: Mailbox;
  readonly #queue: WaitQueue;
  readonly #operation: Operation;
  #abort: (() => void) | undefined;
  #reason: { readonly error: unknown } | undefined;

  /** @internal */
  constructor(mailbox: Mailbox, signal?: AbortSignal) {
    mailbox.open();
    super({ release: () => mailbox.close() });
    this.#mailbox = mailbox;
    this.#queue = new WaitQueue(mailbox);
    this.signals = [...mailbox.numbers].map((number) => nameOf(number));
    this.#operation = { details: this.describe() };
    if (signal !== undefined) this.#closeOn(signal);
  }

  /**
   * Waits for the next signal.
   *
   * @param options - how the wait can end early
   * @returns everything that the kernel tells with it
   * @throws {IpcError} ETIMEDOUT when none came in time; ERR_CLOSED when the watcher is or was closed
   */
  wait(options?: WaitOptions): Promise<SignalInfo> {
    try {
      const wait = waitOptions(options);
      this.#check();
      if (wait.timeout === 0) station().drain();
      return this.#queue.run(this.#attempt, wait, this.#operation);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  // Bound to `this`, so that a watcher that somebody waits on is not collected.
  readonly #attempt = (): SignalInfo | typeof BLOCKED => {
    if (this.#mailbox.length === 0 && !station().isCalm) station().drain();
    return this.#mailbox.take() ?? BLOCKED;
  };

  /**
   * The next signal if one has come by now; never waits.
   *
   * @returns the signal, or undefined
   * @throws {IpcError} ERR_CLOSED when the watcher is closed
   */
  tryWait(): SignalInfo | undefined {
    this.#check();
    if (this.#queue.length > 0) return undefined;
    if (this.#mailbox.length === 0) station().drain();
    return this.#mailbox.take();
  }

  /**
   * Blocks this thread until a signal comes.
   *
   * @param options - `timeout`: the longest time to wait, in milliseconds
   * @returns everything that the kernel tells with it
   * @throws {IpcError} ETIMEDOUT when none came in time; ERR_CLOSED when the watcher is closed
   * @throws {IpcError} EBUSY when waits of this watcher are pending: they come first, and this thread would not let them
   * @see sigtimedwait(2)
   */
  waitSync(options?: Pick<WaitOptions, 'timeout'>): SignalInfo {
    const { timeout } = optionsObject(options);
    checkTimeout(timeout);
    this.#check();
    if (this.#queue.length > 0) {
      throw new IpcError('EBUSY', {
        ...this.describe(),
        hint: 'asynchronous calls wait on this watcher: await them before a blocking one',
      });
    }
    // Who sleeps for as long as it takes is told at once of what is there already.
    let looks = timeout !== undefined || !station().isCalm;
    const attempt = (): SignalInfo | typeof BLOCKED => {
      // A listener of `onSignal`, which is called in here, may have closed it.
      this.#check();
      if (looks && this.#mailbox.length === 0) station().drain();
      looks = true;
      return this.#mailbox.take() ?? BLOCKED;
    };
    const sleep = (milliseconds: number): void => station().sleep(milliseconds);
    return waitSync(attempt, sleep, timeout, { details: this.describe() });
  }

  /** Signals as they come, until the watcher is closed. Leaving the loop leaves it open. */
  [Symbol.asyncIterator](): AsyncIterableIterator<SignalInfo> {
    const isClosed = (): boolean => this.closed && this.#reason === undefined;
    return iterate<SignalInfo>({
      // Its signal ends it by a reason, not by closing it.
      handle: {
        get closed() {
          return isClosed();
        },
      },
      takesTurns: true,
      take: () => {
        this.#check();
        return (this.#queue.length > 0 ? undefined : this.#mailbox.take()) ?? BLOCKED;
      },
      receive: (wait) => this.wait(wait),
    });
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    this.#mailbox.ref(true);
    this.#queue.ref(true);
    return this;
  }

  /** Pending waits of this watcher do not keep the process alive. */
  unref(): this {
    this.#mailbox.ref(false);
    this.#queue.ref(false);
    return this;
  }

  /** Watches no longer: what was there before is back. Pending waits reject with `ERR_CLOSED`. */
  override close(): void {
    if (this.closed) return;
    this.#abort?.();
    const pending = this.#queue.length > 0;
    super.close();
    if (pending) this.#queue.fail(this.#reason?.error ?? closedError(this.describe()));
  }

  protected override describe(): IpcErrorDetails {
    return { syscall: 'sigtimedwait', target: this.signals.join(' ') };
  }

  #check(): void {
    if (this.#reason !== undefined) throw this.#reason.error;
    this.checkOpen();
  }

  #closeOn(signal: AbortSignal): void {
    // A listener that held the watcher would keep it from being collected for as long as the signal lives.
    const weak = new WeakRef(this);
    this.#abort = onAbort(signal, () => {
      const watcher = weak.deref();
      if (watcher !== undefined) watcher.#aborted(signal.reason);
    });
  }

  #aborted(error: unknown): void {
    this.#reason = { error };
    this.close();
  }
}

/**
 * Watches signals: every one that comes is told with who has sent it, how, and with which value.
 *
 * Real-time signals come all, in the order in which they were sent, lower numbers first; what cannot be
 * taken yet stays in the kernel's queue. As with `process.on`, watching replaces the default action.
 *
 * @param signals - one or several, by name or number
 * @param options - `observe` to look on only, `signal` to end it
 * @returns the watcher: an async iterator
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it cannot be caught, or is none of this system
 * @throws {IpcError} EBUSY when a native module uses that real-time signal for its own threads
 * @example
 * ```js
 * import { send, watch } from '@octoipc/signal';
 *
 * const watcher = watch('SIGRTMIN+1');
 * send(process.pid, 'SIGRTMIN+1', { value: 42 });
 * for await (const { signal, value, pid, codeName } of watcher) {
 *   console.log(signal, value, pid === process.pid, codeName); // SIGRTMIN+1 42 true SI_QUEUE
 *   break;
 * }
 * watcher.close();
 * ```
 * @see signal(7)
 */
export function watch(signals: Signal | readonly Signal[], options?: WatchOptions): SignalWatcher {
  const numbers = numbersOf(signals);
  checkOurs(numbers, 'signals');
  const { observe } = optionsObject(options);
  optionalBoolean(observe, 'options.observe');
  const { signal } = waitOptions(options as WaitOptions | undefined);
  signal?.throwIfAborted();
  return new SignalWatcher(new Mailbox(numbers, { observe: observe === true }), signal);
}
