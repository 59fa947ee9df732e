import type { Readable } from 'node:stream';

import type { ByteReader, ReadTarget } from '@octoipc/core';
import {
  BLOCKED,
  busyError,
  checkTimeout,
  IpcError,
  iterate,
  linesOf,
  readableOf,
  readAllOf,
  readTarget,
  waitOptions,
  waitSync,
  webReadableOf,
  type LinesOptions,
  type Operation,
  type ReadAllOptions,
  type ReadOptions,
  type ReadSyncOptions,
} from '@octoipc/core/kit';

import { adoptEnd, PipeEnd, type Adoption } from './end.js';
import { Intake, type Taken } from './intake.js';
import { ReadEnd } from './read-end.js';

export type { LinesOptions, ReadAllOptions, ReadOptions, ReadSyncOptions } from '@octoipc/core/kit';

/**
 * The read end of a pipe.
 *
 * Lifetime: it owns its descriptor until `close()` or `release()`; pending reads keep the process alive,
 * an idle reader does not. Waiting reads are served first come, first served; one that was aborted or
 * timed out has taken nothing.
 *
 * @example
 * ```js
 * import { createPipe } from '@octoipc/pipe';
 *
 * const { reader, writer } = createPipe();
 * writer.writeSync('one\ntwo\n');
 * writer.close();
 * const lines = [];
 * for await (const line of reader.lines()) lines.push(line);
 * lines; //=> ['one', 'two']
 * reader.close();
 * ```
 * @see pipe(7)
 */
export class PipeReader extends ReadEnd implements ByteReader, AsyncIterable<Buffer> {
  readonly #intake: Intake = new Intake(this.end, () => this.ended);
  readonly #reading: Operation = {
    details: this.details('read'),
    ready: () => this.hasReturned,
  };

  readonly #giveBack = (chunks: readonly Buffer[]): void => {
    this.#intake.giveBack(chunks);
    this.wake('readable');
  };

  /**
   * @param end - a descriptor from outside, which is checked and taken over, or an end of ours
   * @param adoption - what is known of a descriptor from outside
   */
  protected constructor(end: number | PipeEnd, adoption?: Adoption) {
    super(end instanceof PipeEnd ? end : adoptEnd(end, 'read', adoption));
  }

  /**
   * Takes over a descriptor: from now on this handle closes it. In a worker it gets another number, which
   * nobody else knows: Node closes what `fs.openSync` opened there by its number when the worker ends.
   *
   * @param fd - the read end of a pipe or FIFO; 0 is one
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not a pipe
   * @throws {IpcError} EBADF when it is not open, or is a write end
   * @throws {IpcError} EEXIST when another handle owns it
   */
  static fromFd(fd: number): PipeReader {
    return new PipeReader(fd);
  }

  /** @internal */
  static over(end: PipeEnd): PipeReader {
    return new PipeReader(end);
  }

  /**
   * Reads what is there, at least one byte; waits if there is nothing.
   *
   * @param options - how much, where to, how long
   * @returns the bytes, which are yours; `null` at the end of file, when all writers have closed
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the reader is closed, now or while it waits
   * @see read(2)
   */
  read(options?: ReadOptions): Promise<Buffer | null> {
    try {
      const { maxBytes, into } = readTarget(options);
      const wait = waitOptions(options);
      const attempt = (): Taken => this.#intake.take(maxBytes, into);
      this.#checkOpen('read');
      return this.queue('readable').run(attempt, wait, this.#reading);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Reads what is there without waiting.
   *
   * @returns the bytes; `undefined` if there is nothing now, or others wait already; `null` at the end
   */
  tryRead(options?: ReadTarget): Buffer | null | undefined {
    const { maxBytes, into } = readTarget(options);
    this.#checkOpen('read');
    if (this.waiting('readable') > 0) return undefined;
    const result = this.#intake.take(maxBytes, into);
    return result === BLOCKED ? undefined : result;
  }

  /**
   * Reads what is there; blocks this thread while there is nothing.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} EBUSY when reads wait already
   */
  readSync(options?: ReadSyncOptions): Buffer | null {
    const quick = this.#readQuickly(options);
    if (quick !== undefined) return quick;
    const { maxBytes, into } = readTarget(options);
    checkTimeout(options?.timeout);
    this.#checkOpen('read');
    if (this.waiting('readable') > 0) throw busyError(this.details('read'));
    if (options?.timeout === undefined) {
      const result = this.#intake.takeSleeping(maxBytes, into);
      if (result !== BLOCKED) return result;
    }
    return waitSync(
      () => this.#intake.take(maxBytes, into),
      (milliseconds) => this.sleep(milliseconds),
      options?.timeout,
      { details: this.details('read') },
    );
  }

  /**
   * Reads until the end of file.
   *
   * @param options - a bound, and how long all of it may take
   * @returns everything
   * @throws {IpcError} EMSGSIZE when more than `maxBytes` come; as after an abort or a timeout, what was
   *   read by then is read again by the next call
   */
  readAll(options?: ReadAllOptions): Promise<Buffer> {
    return readAllOf(this, this.details('read'), this.#giveBack, options);
  }

  /**
   * Lines of UTF-8 text, without their line feed (and a carriage return before it).
   *
   * @param options - a bound for one line
   * @returns an iterator, whose last line need not end in a line feed; what it has read ahead when its loop is
   *   left is read again by the next call
   */
  lines(options?: LinesOptions): AsyncIterableIterator<string> {
    return linesOf(this, options, this.#giveBack);
  }

  /** Chunks as they come, until the end of file or `close()`. Leaving the loop does not close the reader. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.read(wait) });
  }

  /**
   * Whether `readAll` or `lines` gave bytes back, which only a read can take.
   *
   * @internal
   */
  override get hasReturned(): boolean {
    return this.#intake.returned > 0;
  }

  /** Bytes that can be read now (FIONREAD). */
  get available(): number {
    this.#checkOpen('ioctl');
    return this.#intake.available;
  }

  /**
   * Gives the descriptor away: the caller owns it from now on, and this handle is closed.
   *
   * @throws {IpcError} EBUSY when `readAll` or `lines` gave bytes back, which the next owner would not see
   */
  override release(): number {
    this.#checkOpen('release');
    if (this.hasReturned) {
      throw new IpcError('EBUSY', {
        ...this.details('release'),
        hint: 'bytes that were taken out of the pipe wait here: read them first',
      });
    }
    return super.release();
  }

  /** A Node stream over this reader, which closes it at its end or when destroyed. */
  toReadable(): Readable {
    this.#checkOpen('toReadable');
    return readableOf(this);
  }

  /** A web stream of bytes over this reader (BYOB too), which closes it at its end or when cancelled. */
  toWeb(): ReadableStream<Uint8Array> {
    this.#checkOpen('toWeb');
    return webReadableOf(this);
  }

  protected override describe(): { syscall: string; target: string | number } {
    return this.details('read');
  }

  /** Private, so that a method that was taken for something else finds out. */
  #checkOpen(syscall: string): void {
    this.checkOpen(syscall);
  }

  /** The usual blocking read into the caller's memory; undefined where it is not that, or has failed. */
  #readQuickly(options: ReadSyncOptions | undefined): Buffer | undefined {
    const into = options?.into;
    if (!(into instanceof Uint8Array)) return undefined;
    if (options?.maxBytes !== undefined || options?.timeout !== undefined) return undefined;
    if (this.closed || this.waiting('readable') > 0) return undefined;
    return this.#intake.takeQuickly(into);
  }
}
