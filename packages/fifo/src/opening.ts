import { BLOCKED, check, codeOfErrno, FdHandle, POLLIN, waitSync } from '@octoipc/core/kit';
import type { IpcErrorDetails, WaitOptions } from '@octoipc/core';

import { binding, type FifoBinding } from './binding.js';
import { TOO_MANY } from './name.js';

/**
 * An open(2) that waits for the other side, on a thread of its own, told of by a descriptor that becomes
 * readable when it has returned.
 *
 * Lifetime: `close()` gets the thread out of open(2) and ends it, and closes what it has opened, unless
 * that was taken; the native side does so when the environment ends.
 */
export class Opening extends FdHandle {
  readonly #binding: FifoBinding;
  readonly #index: number;
  readonly #details: IpcErrorDetails;

  private constructor(native: FifoBinding, index: number, details: IpcErrorDetails) {
    super(check(native.openingDone(index), 'fcntl', { ...details, hint: TOO_MANY }), native);
    this.#binding = native;
    this.#index = index;
    this.#details = details;
  }

  /**
   * Begins to wait.
   *
   * @param fd - stands for the FIFO; it stays the caller's
   * @param access - as what to open it: the wait is for the opposite
   * @param details - for errors
   */
  static start(fd: number, access: 'read' | 'write', details: IpcErrorDetails): Opening {
    const native = binding();
    const started = native.openingStart(fd, access === 'write');
    const code = codeOfErrno(started);
    const hint = code === 'EAGAIN' ? NO_THREAD : HINTS[code];
    const index = check(started, 'open', { ...details, hint });
    try {
      return new Opening(native, index, details);
    } catch (error) {
      native.openingDrop(index);
      throw error;
    }
  }

  /** Whether the other side has come; throws if open(2) has failed. */
  get ended(): boolean {
    const result = this.#binding.openingResult(this.#index);
    if (result === WAITS) return false;
    return check(result, 'open', { ...this.#details, hint: HINTS[codeOfErrno(result)] }) === 0;
  }

  /** Waits for the other side, and leaves what was opened where it is. */
  come(options: WaitOptions): Promise<void> {
    return this.#wait(() => undefined, options);
  }

  /** Waits for the other side; what was opened, owned by the binding. */
  take(options: WaitOptions): Promise<number> {
    return this.#wait(() => this.#take(), options);
  }

  /** {@link take} that blocks this thread. */
  takeSync(timeout: number | undefined): number {
    return waitSync(
      () => (this.ended ? this.#take() : BLOCKED),
      (milliseconds) => this.sleep(milliseconds),
      timeout,
      { details: this.#details },
    );
  }

  /** Blocks this thread until the other side has come, or so many milliseconds are over. */
  sleep(milliseconds: number): void {
    this.#binding.poll(this.fd, POLLIN, milliseconds);
  }

  override close(): void {
    super.close();
    this.#binding.openingDrop(this.#index);
  }

  protected override describe(): IpcErrorDetails {
    return this.#details;
  }

  #wait<T>(result: () => T, options: WaitOptions): Promise<T> {
    return this.queue('readable').run(() => (this.ended ? result() : BLOCKED), options, {
      details: this.#details,
    });
  }

  #take(): number {
    return check(this.#binding.openingTake(this.#index), 'open', this.#details);
  }
}

/** What the native side says of an open(2) that has not returned. */
const WAITS = 1;

const NO_THREAD =
  'no thread can be started to wait on: raise ulimit -u (RLIMIT_NPROC), or wait for fewer at once';

const HINTS: Readonly<Record<string, string>> = {
  EMFILE: TOO_MANY,
  ENOENT: 'waiting for the other side needs /proc: mount it',
};
