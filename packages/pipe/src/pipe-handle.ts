import { closedError, FdHandle, integer } from '@octoipc/core/kit';

import type { PipeEnd } from './end.js';

/** What both ends of a pipe have in common. */
export abstract class PipeHandle extends FdHandle {
  /** @internal */
  protected readonly end: PipeEnd;

  /** @param end - owned by the binding */
  protected constructor(end: PipeEnd) {
    super(end.fd, end.binding);
    this.end = end;
  }

  /**
   * Whether somebody waits on this end.
   *
   * @internal
   */
  get hasWaiters(): boolean {
    return this.waiting('readable') > 0 || this.waiting('writable') > 0;
  }

  /** Bytes that the pipe holds (F_GETPIPE_SZ). */
  get capacity(): number {
    this.checkOpen('fcntl');
    return this.end.capacity;
  }

  /**
   * The kernel rounds up to a power of two of pages.
   *
   * @throws {IpcError} EPERM over fs.pipe-max-size; EBUSY when more is in the pipe than would fit
   */
  set capacity(bytes: number) {
    integer(bytes, 'capacity', 1, 0x7fffffff);
    this.checkOpen('fcntl');
    this.end.capacity = bytes;
  }

  override release(): number {
    const { fd } = this;
    this.end.restore();
    super.release();
    return fd;
  }

  override close(): void {
    if (!this.closed) this.end.restoreAdopted();
    super.close();
  }

  /** @internal */
  protected details(syscall: string): { syscall: string; target: string | number } {
    return { syscall, target: this.end.target };
  }

  /** @internal */
  protected checkOpen(syscall: string): void {
    if (this.closed) throw closedError({ syscall });
  }
}
