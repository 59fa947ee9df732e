import type { Bytes } from '@octoipc/core';
import { PipeWriter } from '@octoipc/pipe';

/** The program's stdin. */
export class InputWriter extends PipeWriter {
  /** Takes over the write end of a new pipe. */
  static of(fd: number): InputWriter {
    return new InputWriter(fd, { ours: true });
  }

  /**
   * Closes it behind the writes that wait already, and behind `data`.
   *
   * @throws {IpcError} EPIPE when the program does not read any more
   */
  async finish(data?: Bytes): Promise<void> {
    if (this.closed) return;
    try {
      if (data !== undefined || this.waiting('writable') > 0) await this.write(data ?? '');
    } finally {
      this.close();
    }
  }
}
