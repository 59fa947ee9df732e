import type { WaitOptions } from '@octoipc/core';
import { checkTimeout, timeoutError, waitOptions } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { Opening } from './opening.js';
import { Request, type OpenOptions } from './request.js';
import { FifoWriter } from './writer.js';

/** What `openWriter` takes. */
export interface OpenWriterOptions extends OpenOptions, WaitOptions {}

/** What `openWriterSync` takes. */
export interface OpenWriterSyncOptions extends OpenOptions {
  /** The longest time to block, in milliseconds. @default Infinity */
  readonly timeout?: number | undefined;
}

/**
 * Opens the write end of a FIFO; waits until somebody reads.
 *
 * The wait takes a thread, but none of libuv's pool: a reader that itself waits in open(2), such as
 * `cat path`, is seen by nothing else.
 *
 * @param path - of the FIFO; the last part must not be a symbolic link
 * @param options - whether to make it, whose it must be, how long to wait
 * @returns the writer
 * @throws {IpcError} ETIMEDOUT when the timeout is over and nobody reads
 * @throws {IpcError} ENOENT when nothing is there, and `create` is not set
 * @throws {IpcError} EEXIST when `exclusive` and something has that name
 * @throws {IpcError} EINVAL when it is no FIFO, ELOOP when it is a symbolic link, EPERM when it is not
 *   the `owner`'s
 * @throws {IpcError} EACCES when its permissions deny it
 * @throws {IpcError} EMFILE when this process has too many descriptors, EAGAIN when too many threads
 * @example
 * ```js
 * import { isIpcError } from '@octoipc/core';
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { openWriter, unlink } from '@octoipc/fifo';
 *
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/nobody`;
 * const error = await openWriter(path, { create: true, timeout: 20 }).catch((reason) => reason);
 * isIpcError(error, 'ETIMEDOUT'); //=> true
 * unlink(path);
 * ```
 * @see fifo(7)
 */
export async function openWriter(path: string, options?: OpenWriterOptions): Promise<FifoWriter> {
  const request = new Request(path, 'write', options);
  const wait = waitOptions(options);
  wait.signal?.throwIfAborted();
  const writer = opened(request);
  if (writer !== null) return writer;
  if (wait.timeout === 0) throw timeoutError(request.details);
  using opening = begin(request);
  return over(request, await opening.take(wait));
}

/**
 * Opens the write end of a FIFO without waiting.
 *
 * @param path - of the FIFO; the last part must not be a symbolic link
 * @param options - whether to make it, whose it must be
 * @returns the writer, or null if nobody reads
 * @throws {IpcError} as {@link openWriter} does
 * @see fifo(7)
 */
export function tryOpenWriter(path: string, options?: OpenOptions): FifoWriter | null {
  return opened(new Request(path, 'write', options));
}

/**
 * {@link openWriter} that blocks this thread.
 *
 * @see fifo(7)
 */
export function openWriterSync(path: string, options?: OpenWriterSyncOptions): FifoWriter {
  const request = new Request(path, 'write', options);
  const timeout = options?.timeout;
  checkTimeout(timeout);
  const writer = opened(request);
  if (writer !== null) return writer;
  if (timeout === 0) throw timeoutError(request.details);
  using opening = begin(request);
  return over(request, opening.takeSync(timeout));
}

function opened(request: Request): FifoWriter | null {
  const fd = request.open();
  return fd === null ? null : over(request, fd);
}

function over(request: Request, fd: number): FifoWriter {
  return request.handOver(fd, (given) => FifoWriter.opened(given, request.path));
}

function begin(request: Request): Opening {
  const named = request.openPath();
  try {
    return Opening.start(named, 'write', request.details);
  } finally {
    binding().close(named);
  }
}
