import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  checkTimeout,
  optionalBoolean,
  optionsObject,
  timeoutError,
  waitOptions,
  waitSync,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { Opening } from './opening.js';
import { FifoReader } from './reader.js';
import { Request, type OpenOptions } from './request.js';

interface ReaderOptions extends OpenOptions {
  /**
   * Outlive the writers: when the last one has left, wait for the next.
   *
   * @default false: that is the end of file
   */
  readonly persistent?: boolean | undefined;
  /**
   * Wait until the first writer has come, as open(2) does, instead of at the first read.
   *
   * @default false
   */
  readonly waitForWriter?: boolean | undefined;
}

/** What `openReader` takes. */
export interface OpenReaderOptions extends ReaderOptions, WaitOptions {}

/** What `openReaderSync` takes. */
export interface OpenReaderSyncOptions extends ReaderOptions {
  /** The longest time to block for a writer, in milliseconds. @default Infinity */
  readonly timeout?: number | undefined;
}

/**
 * Opens the read end of a FIFO: at once, whether or not somebody writes.
 *
 * @param path - of the FIFO; the last part must not be a symbolic link
 * @param options - whether to make it, whose it must be, whether to outlive its writers or wait for one
 * @returns the reader
 * @throws {IpcError} ENOENT when nothing is there, and `create` is not set
 * @throws {IpcError} EEXIST when `exclusive` and something has that name
 * @throws {IpcError} EINVAL when it is no FIFO, ELOOP when it is a symbolic link, EPERM when it is not
 *   the `owner`'s
 * @throws {IpcError} EACCES when its permissions deny it
 * @throws {IpcError} ETIMEDOUT when the timeout is over and, with `waitForWriter`, no writer has come
 * @throws {IpcError} EMFILE when this process has too many descriptors
 * @example
 * ```js
 * import { execFile } from 'node:child_process';
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { openReader, unlink } from '@octoipc/fifo';
 *
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/greetings`;
 * const reader = await openReader(path, { create: true });
 * execFile('sh', ['-c', `echo hello > "${path}"`]);
 * String(await reader.readAll()); //=> 'hello\n'
 * reader.close();
 * unlink(path);
 * ```
 * @see fifo(7)
 */
export async function openReader(path: string, options?: OpenReaderOptions): Promise<FifoReader> {
  const plan = new Plan(path, options);
  const wait = waitOptions(options);
  wait.signal?.throwIfAborted();
  const reader = plan.open();
  try {
    if (plan.isMet(reader)) return reader;
    if (wait.timeout === 0) throw timeoutError(plan.details);
    await writerOf(reader, plan, wait);
    return reader;
  } catch (error) {
    reader.close();
    throw error;
  }
}

/**
 * {@link openReader} that blocks this thread where it has to wait.
 *
 * @see fifo(7)
 */
export function openReaderSync(path: string, options?: OpenReaderSyncOptions): FifoReader {
  const plan = new Plan(path, options);
  const timeout = options?.timeout;
  checkTimeout(timeout);
  const reader = plan.open();
  try {
    if (plan.isMet(reader)) return reader;
    if (timeout === 0) throw timeoutError(plan.details);
    using opening = Opening.start(reader.fd, 'read', plan.details);
    return waitSync(
      () => (opening.ended || plan.isMet(reader) ? reader : BLOCKED),
      (milliseconds) => opening.sleep(milliseconds),
      timeout,
      { details: plan.details },
    );
  } catch (error) {
    reader.close();
    throw error;
  }
}

/** How a reader is to be opened. */
class Plan {
  readonly #request: Request;
  readonly #persistent: boolean;
  readonly #waits: boolean;

  constructor(path: string, options: ReaderOptions | undefined) {
    const { persistent, waitForWriter } = optionsObject(options);
    this.#request = new Request(path, 'read', options);
    this.#persistent = optionalBoolean(persistent, 'options.persistent') ?? false;
    this.#waits = optionalBoolean(waitForWriter, 'options.waitForWriter') ?? false;
  }

  get details(): Request['details'] {
    return this.#request.details;
  }

  open(): FifoReader {
    const { path } = this.#request;
    // Only the write end of a FIFO may have to wait to be opened.
    const fd = this.#request.open()!;
    return this.#request.handOver(fd, (given) => FifoReader.opened(given, path, this.#persistent));
  }

  /** Whether a writer has come, or none is waited for. */
  isMet(reader: FifoReader): boolean {
    return !this.#waits || check(binding().hasWriter(reader.fd), 'tee', this.details) === 1;
  }
}

/**
 * Waits for a writer. One that opens the FIFO and writes nothing is seen by nothing but an open(2) that
 * waits for it; one that has left again before that began to wait has left its mark on the reader.
 */
async function writerOf(reader: FifoReader, plan: Plan, wait: WaitOptions): Promise<void> {
  const stop = new AbortController();
  using opening = Opening.start(reader.fd, 'read', plan.details);
  try {
    await Promise.race([opening.come(wait), reader.visited(stop.signal)]);
  } finally {
    stop.abort();
  }
}
