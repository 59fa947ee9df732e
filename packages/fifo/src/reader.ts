import { BLOCKED, check, optionalBoolean, optionsObject, POLLIN } from '@octoipc/core/kit';
import { PipeReader } from '@octoipc/pipe';

import { binding } from './binding.js';
import { pathOf } from './name.js';

/**
 * The read end of a FIFO.
 *
 * Before its first writer has come it waits, and takes that for no end of file. When its last writer has
 * left, and everything is read, that is the end of file (`null`), until the next writer comes: then it
 * reads on. A `persistent` reader is never at its end: it waits for the next writer, and it holds no write
 * end to do so, so other readers of the same FIFO get theirs.
 *
 * Lifetime: that of a {@link PipeReader}.
 *
 * @example
 * ```js
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { openReader, openWriter, unlink } from '@octoipc/fifo';
 *
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/log`;
 * const reader = await openReader(path, { create: true, persistent: true });
 * for (const word of ['first', 'second']) {
 *   const writer = await openWriter(path);
 *   await writer.write(word);
 *   writer.close();
 * }
 * String(await reader.read()); //=> 'firstsecond'
 * reader.tryRead(); //=> undefined
 * reader.close();
 * unlink(path);
 * ```
 * @see fifo(7)
 */
export class FifoReader extends PipeReader {
  /** The path that it was opened by; another FIFO may have that name by now, or none. */
  readonly path: string;
  /** Whether it outlives its writers. */
  readonly persistent: boolean;

  private constructor(fd: number, path: string, persistent: boolean, ours: boolean) {
    super(fd, { target: path, ours });
    this.path = path;
    this.persistent = persistent;
  }

  /**
   * Takes over a descriptor: from now on this handle closes it. In a worker it gets another number, which
   * nobody else knows: Node closes what `fs.openSync` opened there by its number when the worker ends.
   *
   * @param fd - the read end of a FIFO
   * @param options - `persistent`: whether it outlives its writers; false by default
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not a FIFO, or one without a name
   * @throws {IpcError} EBADF when it is not open, or is a write end
   * @throws {IpcError} EEXIST when another handle owns it
   */
  static override fromFd(
    fd: number,
    options?: { readonly persistent?: boolean | undefined },
  ): FifoReader {
    const { persistent } = optionsObject(options);
    const outlives = optionalBoolean(persistent, 'options.persistent') ?? false;
    return new FifoReader(fd, pathOf(fd), outlives, false);
  }

  /** @internal */
  static opened(fd: number, path: string, persistent: boolean): FifoReader {
    return new FifoReader(fd, path, persistent, true);
  }

  override get isReadable(): boolean {
    if (!this.persistent) return super.isReadable;
    // What readAll() gave back counts, of which poll(2) knows nothing.
    return (this.poll() & POLLIN) !== 0 || this.available > 0;
  }

  override get ended(): boolean {
    return super.ended && !this.persistent;
  }

  /**
   * Waits until a writer has written, or has come and left.
   *
   * @internal
   */
  visited(signal: AbortSignal): Promise<void> {
    const attempt = (): void | typeof BLOCKED => (super.isReadable ? undefined : BLOCKED);
    const details = { syscall: 'open', target: this.path };
    return this.queue('readable').run(attempt, { signal }, { details });
  }

  protected override sleep(milliseconds: number): void {
    // Between two writers poll(2) says POLLHUP all the time.
    if (!this.persistent) super.sleep(milliseconds);
    // What cannot sleep must not look again at once.
    else
      check(binding().sleepUntilEdge(this.fd, milliseconds), 'epoll_wait', { target: this.path });
  }
}
