import {
  AGAIN,
  BLOCKED,
  errorOf,
  IpcError,
  valueError,
  type Attempt,
  type IpcErrorDetails,
} from '@octoipc/core/kit';

import type { PipeEnd } from './end.js';

/**
 * Where a writer's bytes go.
 *
 * Lifetime: that of its writer.
 */
export class Outlet {
  readonly #end: PipeEnd;

  constructor(end: PipeEnd) {
    this.#end = end;
  }

  /** How errors name a write. */
  get details(): IpcErrorDetails {
    return { syscall: 'write', target: this.#end.target };
  }

  /**
   * One write from an offset on; 0 if the pipe is full.
   *
   * @param length - how long the memory was when the call began
   */
  put(view: Uint8Array, offset: number, length: number): number {
    if (view.length !== length) {
      throw Object.assign(
        valueError('data', 'was detached or resized while it was being written', view),
        { bytesWritten: offset },
      );
    }
    const count = this.#end.write(view, offset, length - offset);
    if (count >= 0) return count;
    if (count === AGAIN) return 0;
    throw errorOf(count, 'write', { target: this.#end.target, bytesWritten: offset });
  }

  /** Where this thread may, sleeps in write(2) itself; how many bytes it wrote. */
  putSleeping(view: Uint8Array): number {
    const { length } = view;
    let written = 0;
    while (written < length) {
      const count =
        written === 0 && this.#end.sleeps
          ? this.#end.putSleeping(view)
          : this.#end.writeSleeping(view, written, length - written);
      if (count < 0) {
        if (count === AGAIN) break;
        throw errorOf(count, 'write', { target: this.#end.target, bytesWritten: written });
      }
      written += count;
    }
    return written;
  }

  /** The attempt that writes all of the memory in one piece; throws EMSGSIZE if it is longer than PIPE_BUF. */
  puttingAtomic(view: Uint8Array): Attempt<void> {
    const { length } = view;
    const { pipeBuf } = this.#end.binding;
    if (length > pipeBuf) {
      throw new IpcError('EMSGSIZE', {
        ...this.details,
        hint: `${length} bytes are over PIPE_BUF (${pipeBuf}), which is the most that is written in one piece`,
      });
    }
    return () => {
      if (length > 0 && this.put(view, 0, length) === 0) return BLOCKED;
    };
  }
}
