import type { Writable } from 'node:stream';

import type { Bytes, ByteWriter, WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  busyError,
  bytes,
  check,
  checkTimeout,
  POLLERR,
  POLLOUT,
  waitOptions,
  waitSync,
  webWritableOf,
  writableOf,
  writingAll,
  type Attempt,
  type Operation,
  type WriteSyncOptions,
} from '@octoipc/core/kit';

import { adoptEnd, PipeEnd, type Adoption } from './end.js';
import { Outlet } from './outlet.js';
import { PipeHandle } from './pipe-handle.js';

export type { WriteSyncOptions } from '@octoipc/core/kit';

/**
 * The write end of a pipe.
 *
 * Lifetime: it owns its descriptor until `close()` or `release()`; closing the last writer is what gives
 * the reader its end of file. Pending writes keep the process alive and are served first come, first
 * served. The data of a pending write is read from your memory: do not change it before the promise
 * settles. When the reader is gone every write fails with `EPIPE`, and no signal is raised.
 *
 * @example
 * ```js
 * import { createPipe } from '@octoipc/pipe';
 *
 * const { reader, writer } = createPipe();
 * await writer.write('all of it');
 * writer.tryWrite(Buffer.alloc(1024 * 1024)); //=> 61440
 * writer.close();
 * reader.close();
 * ```
 * @see pipe(7)
 */
export class PipeWriter extends PipeHandle implements ByteWriter {
  readonly #outlet: Outlet = new Outlet(this.end);

  /**
   * @param end - a descriptor from outside, which is checked and taken over, or an end of ours
   * @param adoption - what is known of a descriptor from outside
   */
  protected constructor(end: number | PipeEnd, adoption?: Adoption) {
    super(end instanceof PipeEnd ? end : adoptEnd(end, 'write', adoption));
  }

  /**
   * Takes over a descriptor: from now on this handle closes it. In a worker it gets another number, which
   * nobody else knows: Node closes what `fs.openSync` opened there by its number when the worker ends.
   *
   * @param fd - the write end of a pipe or FIFO
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not a pipe
   * @throws {IpcError} EBADF when it is not open, or is a read end
   * @throws {IpcError} EEXIST when another handle owns it
   */
  static fromFd(fd: number): PipeWriter {
    return new PipeWriter(fd);
  }

  /** @internal */
  static over(end: PipeEnd): PipeWriter {
    return new PipeWriter(end);
  }

  /**
   * Writes all of the data.
   *
   * @param data - bytes, or a string as UTF-8
   * @param options - how long
   * @returns a promise that resolves when the pipe has taken everything
   * @throws {IpcError} EPIPE when the reader is gone
   * @throws {IpcError} ETIMEDOUT when the timeout is over; `bytesWritten` tells what the pipe had taken
   *   (an abort puts it on the signal's reason, if that is an object)
   * @see write(2)
   */
  write(data: Bytes, options?: WaitOptions): Promise<void> {
    try {
      const { attempt, operation } = this.#writing(data);
      const wait = waitOptions(options);
      return this.queue('writable').run(attempt, wait, operation);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Writes what fits now.
   *
   * @returns how many bytes the pipe took; 0 if it is full, or others wait already
   * @throws {IpcError} EPIPE when the reader is gone
   */
  tryWrite(data: Bytes): number {
    const view = bytes(data);
    this.#checkOpen('write');
    if (view.length === 0 || this.waiting('writable') > 0) return 0;
    return this.#outlet.put(view, 0, view.length);
  }

  /**
   * Writes all of the data; blocks this thread while the pipe is full.
   *
   * @throws {IpcError} EPIPE when the reader is gone
   * @throws {IpcError} ETIMEDOUT when the timeout is over; `bytesWritten` tells what the pipe had taken
   * @throws {IpcError} EBUSY when writes wait already
   */
  writeSync(data: Bytes, options?: WriteSyncOptions): void {
    const view = bytes(data);
    this.#checkOpen('write');
    const timeout = options === undefined ? undefined : waitOptions(options).timeout;
    let written = 0;
    if (timeout === undefined && this.waiting('writable') === 0) {
      written = this.#outlet.putSleeping(view);
      if (written === view.length) return;
    }
    const { attempt, operation } = this.#writing(view, written);
    this.#runSync(attempt, operation, options);
  }

  /**
   * Writes all of the data in one piece: no other writer's bytes come in between.
   *
   * @param data - at most PIPE_BUF (4096) bytes
   * @param options - how long
   * @throws {IpcError} EMSGSIZE when it is longer
   * @throws {IpcError} EPIPE when the reader is gone
   * @throws {IpcError} ETIMEDOUT when the timeout is over; nothing was written then
   */
  writeAtomic(data: Bytes, options?: WaitOptions): Promise<void> {
    try {
      const attempt = this.#writingAtomic(data);
      const wait = waitOptions(options);
      return this.queue('writable').run(attempt, wait, { details: this.#outlet.details });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** {@link writeAtomic} without waiting: false, and nothing written, if it would have to. */
  tryWriteAtomic(data: Bytes): boolean {
    const attempt = this.#writingAtomic(data);
    return this.waiting('writable') === 0 && attempt() !== BLOCKED;
  }

  /** {@link writeAtomic} that blocks this thread. */
  writeAtomicSync(data: Bytes, options?: WriteSyncOptions): void {
    this.#runSync(this.#writingAtomic(data), { details: this.#outlet.details }, options);
  }

  /**
   * Waits until the pipe has room for PIPE_BUF bytes, or the reader is gone. Writes nothing.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @see poll(2)
   */
  writable(options?: WaitOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      const { fd, binding, target } = this.end;
      this.#checkOpen('poll');
      const attempt = (): void | typeof BLOCKED => {
        if (check(binding.poll(fd, POLLOUT, 0), 'poll', { target }) === 0) return BLOCKED;
      };
      return this.queue('writable').run(attempt, wait, { details: { syscall: 'poll', target } });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Whether the last reader has closed: every write would fail with `EPIPE`. */
  get broken(): boolean {
    this.#checkOpen('poll');
    const { fd, binding, target } = this.end;
    return (check(binding.poll(fd, POLLOUT, 0), 'poll', { target }) & POLLERR) !== 0;
  }

  /** A Node stream over this writer, which closes it when it has finished or is destroyed. */
  toWritable(): Writable {
    this.#checkOpen('toWritable');
    return writableOf(this);
  }

  /** A web stream over this writer, which closes it when it is closed or aborted. */
  toWeb(): WritableStream<Uint8Array | string> {
    this.#checkOpen('toWeb');
    return webWritableOf(this);
  }

  protected override describe(): { syscall: string; target: string | number } {
    return this.details('write');
  }

  #writing(data: Bytes, begun = 0): { attempt: Attempt<void>; operation: Operation } {
    const view = bytes(data);
    this.#checkOpen('write');
    const { length } = view;
    const put = (written: number): number => this.#outlet.put(view, written, length);
    return writingAll(put, length, begun, this.#outlet.details);
  }

  #writingAtomic(data: Bytes): Attempt<void> {
    const attempt = this.#outlet.puttingAtomic(bytes(data));
    this.#checkOpen('write');
    return attempt;
  }

  /** Private, so that a method that was taken for something else finds out. */
  #checkOpen(syscall: string): void {
    this.checkOpen(syscall);
  }

  #runSync(
    attempt: Attempt<void>,
    operation: Operation,
    options: WriteSyncOptions | undefined,
  ): void {
    checkTimeout(waitOptions(options).timeout);
    const { fd, binding } = this.end;
    if (this.waiting('writable') > 0) {
      throw busyError(this.#outlet.details);
    }
    const sleep = (milliseconds: number): number => binding.poll(fd, POLLOUT, milliseconds);
    waitSync(attempt, sleep, options?.timeout, operation);
  }
}
