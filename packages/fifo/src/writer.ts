import { PipeWriter } from '@octoipc/pipe';

import { pathOf } from './name.js';

/**
 * The write end of a FIFO.
 *
 * When the last reader has left, every write fails with `EPIPE`, and no signal is raised; should another
 * reader come, the same writer can go on.
 *
 * Lifetime: that of a {@link PipeWriter}.
 *
 * @example
 * ```js
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { mkfifo, openReader, tryOpenWriter, unlink } from '@octoipc/fifo';
 *
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/log`;
 * mkfifo(path);
 * tryOpenWriter(path); //=> null
 * const reader = await openReader(path);
 * const writer = tryOpenWriter(path);
 * await writer.write('somebody reads now');
 * String(await reader.read()); //=> 'somebody reads now'
 * writer.close();
 * reader.close();
 * unlink(path);
 * ```
 * @see fifo(7)
 */
export class FifoWriter extends PipeWriter {
  /** The path that it was opened by; another FIFO may have that name by now, or none. */
  readonly path: string;

  private constructor(fd: number, path: string, ours: boolean) {
    super(fd, { target: path, ours });
    this.path = path;
  }

  /**
   * Takes over a descriptor: from now on this handle closes it. In a worker it gets another number, which
   * nobody else knows: Node closes what `fs.openSync` opened there by its number when the worker ends.
   *
   * @param fd - the write end of a FIFO
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not a FIFO, or one without a name
   * @throws {IpcError} EBADF when it is not open, or is a read end
   * @throws {IpcError} EEXIST when another handle owns it
   */
  static override fromFd(fd: number): FifoWriter {
    return new FifoWriter(fd, pathOf(fd), false);
  }

  /** @internal */
  static opened(fd: number, path: string): FifoWriter {
    return new FifoWriter(fd, path, true);
  }
}
