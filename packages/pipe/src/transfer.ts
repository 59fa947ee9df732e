import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, check, codeOfErrno, errorOf, FdHandle, type Operation } from '@octoipc/core/kit';

import type { PipeBinding } from './binding.js';
import { atMark } from './transfer-progress.js';

/** One number, which has two names. */
const MARK: ReadonlySet<string> = new Set(['ENOTSUP', 'EOPNOTSUPP']);

/** What is moved, which is told how much had been when it fails. */
interface Moving extends Operation {
  readonly from: number;
  readonly to: number;
  readonly length: number;
  count(moved: number): void;
}

/**
 * A transfer that runs on a thread of its own, told over by a descriptor that becomes readable when it
 * has ended.
 *
 * Lifetime: `close()` stops the thread if it still runs; the native side does when the environment ends.
 */
export class Transfer extends FdHandle {
  readonly #binding: PipeBinding;
  readonly #index: number;

  private constructor(native: PipeBinding, index: number) {
    super(check(native.transferDone(index), 'fcntl'), native);
    this.#binding = native;
    this.#index = index;
  }

  /** Moves the bytes; resolves with how many. */
  static async run(native: PipeBinding, operation: Moving, options: WaitOptions): Promise<number> {
    const { from, to, length, details } = operation;
    const index = check(native.transferStart(from, to, length), 'splice', details);
    try {
      using transfer = new Transfer(native, index);
      return await transfer.#ended(details, options);
    } catch (error) {
      native.transferCancel(index);
      operation.count(native.transferMoved(index));
      throw error;
    } finally {
      native.transferDrop(index);
    }
  }

  #ended(details: Operation['details'], options: WaitOptions): Promise<number> {
    const attempt = (): number | typeof BLOCKED => {
      const result = this.#binding.transferResult(this.#index);
      if (codeOfErrno(result) === 'EAGAIN') return BLOCKED;
      const moved = this.#binding.transferMoved(this.#index);
      if (MARK.has(codeOfErrno(result))) throw atMark(details, moved);
      if (result < 0) throw errorOf(result, 'splice', { ...details, bytesWritten: moved });
      return moved;
    };
    return this.queue('readable').run(attempt, options, { details });
  }

  protected override describe(): Operation['details'] {
    return { syscall: 'splice' };
  }
}
