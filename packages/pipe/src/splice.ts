import { constants } from 'node:fs';

import { isIpcError, type WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  check,
  closedError,
  codeOfErrno,
  descriptor,
  errorOf,
  FdHandle,
  integer,
  optionsObject,
  POLLIN,
  POLLOUT,
  typeError,
  waitOptions,
  waitSync,
  YIELD,
  type Attempt,
  type Operation,
} from '@octoipc/core/kit';

import { binding, type PipeBinding } from './binding.js';
import { PipeReader } from './reader.js';
import { Transfer } from './transfer.js';
import { Watch } from './watch.js';
import { PipeWriter } from './writer.js';

/** Where bytes come from or go to: a handle of ours, or a descriptor (file, pipe, socket). */
export type TransferEnd = number | { readonly fd: number };

/** What a transfer takes. */
export interface TransferOptions extends WaitOptions {
  /** How many bytes; fewer come only at the end of the source. @default Infinity */
  readonly length?: number | undefined;
}

type Call = 'splice' | 'tee';

/** After so many bytes in a row a transfer lets the event loop turn. */
const BURST = 4 * 1024 * 1024;

/**
 * Moves bytes inside the kernel, without a copy through this process. One of the ends must be a pipe.
 *
 * Between pipes it runs on the event loop; with a file, a socket or a terminal at one end, which may
 * block whatever splice(2) is told, on a thread of its own. It never takes a thread of libuv's pool.
 *
 * @param from - the source
 * @param to - the destination
 * @param options - how many bytes, and how long it may take
 * @returns how many bytes were moved; fewer than `length` only if the source ended
 * @throws {IpcError} EINVAL when neither is a pipe, or the destination was opened for appending
 * @throws {IpcError} EPIPE when the destination's reader is gone
 * @throws {IpcError} ETIMEDOUT when the timeout is over; `bytesWritten` tells how many bytes had moved
 *   (an abort puts it on the signal's reason, if that is an object)
 * @example
 * ```js
 * import { openSync } from 'node:fs';
 * import { createPipe, splice } from '@octoipc/pipe';
 *
 * const { reader, writer } = createPipe();
 * const file = openSync(process.execPath);
 * await splice(file, writer, { length: 4 }); //=> 4
 * (await reader.read()).toString('latin1'); //=> '\x7fELF'
 * ```
 * @see splice(2)
 */
export function splice(
  from: TransferEnd,
  to: TransferEnd,
  options?: TransferOptions,
): Promise<number> {
  return transfer('splice', from, to, options);
}

/**
 * Moves what can be moved now, at most 1 MiB.
 *
 * @returns how many bytes; 0 if it would have to wait, or the source has ended
 * @see splice(2)
 */
export function trySplice(
  from: TransferEnd,
  to: TransferEnd,
  options?: { readonly length?: number | undefined },
): number {
  return once('splice', from, to, options);
}

/**
 * {@link splice} that blocks this thread.
 *
 * @see splice(2)
 */
export function spliceSync(
  from: TransferEnd,
  to: TransferEnd,
  options?: { readonly length?: number | undefined; readonly timeout?: number | undefined },
): number {
  return transferSync('splice', from, to, options);
}

/**
 * Copies bytes from one pipe to another inside the kernel; the source keeps them, to be read or spliced.
 * A tee sees only what is in the source at that time, so it waits for bytes at most once: `length` is
 * the most that is copied.
 *
 * @param from - the read end of a pipe
 * @param to - the write end of another pipe
 * @param options - how many bytes at most, and how long it may wait
 * @returns how many bytes were copied; 0 only at the end of the source
 * @throws {IpcError} EINVAL when one is not a pipe, or both are the same
 * @throws {IpcError} EPIPE when the destination's reader is gone
 * @throws {IpcError} ETIMEDOUT when the timeout is over
 * @example
 * ```js
 * import { createPipe, tee } from '@octoipc/pipe';
 *
 * const source = createPipe();
 * const copy = createPipe();
 * await source.writer.write('twice');
 * await tee(source.reader, copy.writer); //=> 5
 * String(await copy.reader.read()) + String(await source.reader.read()); //=> 'twicetwice'
 * ```
 * @see tee(2)
 */
export function tee(
  from: TransferEnd,
  to: TransferEnd,
  options?: TransferOptions,
): Promise<number> {
  return transfer('tee', from, to, options);
}

/**
 * Copies what can be copied now.
 *
 * @returns how many bytes; 0 if it would have to wait, or the source has ended
 * @see tee(2)
 */
export function tryTee(
  from: TransferEnd,
  to: TransferEnd,
  options?: { readonly length?: number | undefined },
): number {
  return once('tee', from, to, options);
}

/**
 * {@link tee} that blocks this thread.
 *
 * @see tee(2)
 */
export function teeSync(
  from: TransferEnd,
  to: TransferEnd,
  options?: { readonly length?: number | undefined; readonly timeout?: number | undefined },
): number {
  return transferSync('tee', from, to, options);
}

async function transfer(
  call: Call,
  from: TransferEnd,
  to: TransferEnd,
  options: TransferOptions | undefined,
): Promise<number> {
  const progress = new Progress(call, from, to, options);
  const { signal, timeout } = waitOptions(options);
  signal?.throwIfAborted();
  if (progress.length === 0) return 0;
  const native = binding();
  if (call === 'splice' && !(isPipe(native, progress.from) && isPipe(native, progress.to))) {
    return whileOpen([from, to], signal, progress, (either) =>
      Transfer.run(native, progress, { signal: either, timeout }),
    );
  }
  const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
  using source = sourceOf(from);
  using sink = sinkOf(to);
  for (;;) {
    const outcome = progress.attempt();
    if (outcome === YIELD) await new Promise((resolve) => setImmediate(resolve));
    else if (outcome !== BLOCKED) return outcome;
    const wait: WaitOptions = { signal, timeout: Math.max(0, deadline - performance.now()) };
    try {
      signal?.throwIfAborted();
      if (!source.isReady()) await source.ready(wait);
      else if (native.poll(progress.to, POLLOUT, 0) === 0) await sink.ready(wait);
      else if (outcome === BLOCKED) await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      throw progress.cancelled(error);
    }
  }
}

/** Runs with a signal that also ends the work, with ERR_CLOSED, when a handle among its ends is closed. */
async function whileOpen<T>(
  ends: readonly TransferEnd[],
  signal: AbortSignal | undefined,
  { details }: Operation,
  run: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const undo = ends
    .filter((end) => end instanceof FdHandle)
    .map((end) => end.onClosed(() => controller.abort(closedError(details))));
  try {
    return await run(controller.signal);
  } finally {
    signal?.removeEventListener('abort', abort);
    for (const takeBack of undo) takeBack();
  }
}

function transferSync(
  call: Call,
  from: TransferEnd,
  to: TransferEnd,
  options: TransferOptions | undefined,
): number {
  const progress = new Progress(call, from, to, options);
  const { timeout } = waitOptions(options);
  const native = binding();
  const sleep = (milliseconds: number): void => {
    if (becomesReadable(native, from, milliseconds)) {
      native.poll(progress.to, POLLOUT, milliseconds);
    }
  };
  return waitSync(progress.attempt, sleep, timeout, progress);
}

function once(
  call: Call,
  from: TransferEnd,
  to: TransferEnd,
  options: { readonly length?: number | undefined } | undefined,
): number {
  const progress = new Progress(call, from, to, options);
  return progress.length === 0 ? 0 : Math.max(0, progress.step());
}

/** What a transfer has moved, and how it goes on. */
class Progress implements Operation {
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly details: { syscall: Call; target: string };
  readonly #ends: readonly TransferEnd[];
  readonly #once: boolean;
  #moved = 0;

  constructor(
    call: Call,
    from: TransferEnd,
    to: TransferEnd,
    options: { readonly length?: number | undefined } | undefined,
  ) {
    const { length = Infinity } = optionsObject(options);
    if (length !== Infinity) integer(length, 'options.length');
    this.length = Math.min(length, Number.MAX_SAFE_INTEGER);
    this.from = fdOf(from, 'from');
    this.to = fdOf(to, 'to');
    this.#ends = [from, to];
    this.#once = call === 'tee';
    this.details = { syscall: call, target: `${this.from} -> ${this.to}` };
  }

  /** One call: bytes moved, 0 at the end, -1 when it would wait. */
  step(): number {
    for (const end of this.#ends) fdOf(end, 'from or to');
    const { syscall } = this.details;
    const count = binding()[syscall](this.from, this.to, this.length - this.#moved);
    // A FIFO without a writer is not always at its end; its reader knows.
    if (count === 0 && this.#ends[0] instanceof PipeReader && !this.#ends[0].ended) return -1;
    if (count >= 0) return count;
    if (codeOfErrno(count) === 'EAGAIN') return -1;
    throw errorOf(count, syscall, {
      target: this.details.target,
      hint: codeOfErrno(count) === 'EINVAL' ? HINTS[syscall] : undefined,
      bytesWritten: this.#moved,
    });
  }

  readonly attempt: Attempt<number> = () => {
    const stop = this.#moved + BURST;
    while (this.#moved < this.length) {
      if (this.#moved >= stop) return YIELD;
      const count = this.step();
      if (count < 0) return BLOCKED;
      this.#moved += count;
      if (count === 0 || this.#once) break;
    }
    return this.#moved;
  };

  readonly cancelled = (error: unknown): unknown => {
    if (typeof error === 'object' && error !== null && Object.isExtensible(error)) {
      Object.assign(error, { bytesWritten: this.#moved });
    }
    return error;
  };
}

const HINTS: Readonly<Record<Call, string>> = {
  splice:
    'one end must be a pipe, not the same one twice, and the destination not opened for appending',
  tee: 'both ends must be pipes, and not the same one',
};

function fdOf(end: TransferEnd, name: string): number {
  if (typeof end === 'number') return descriptor(end, name);
  if (typeof end !== 'object' || end === null || !('fd' in end)) {
    throw typeError(name, 'a descriptor or a handle with one', end);
  }
  return descriptor(end.fd, `${name}.fd`);
}

function isPipe(native: PipeBinding, fd: number): boolean {
  return check(native.fileType(fd), 'fstat', { target: fd }) === constants.S_IFIFO;
}

interface Readiness extends Disposable {
  ready(options: WaitOptions): Promise<void>;
}

/** Waits through the handle, behind those who wait there; a bare descriptor is watched by itself. */
function sourceOf(end: TransferEnd): Readiness & { isReady(): boolean } {
  if (end instanceof PipeReader) {
    return {
      isReady: () => end.isReadable,
      ready: (options) => end.readable(options),
      [Symbol.dispose]() {},
    };
  }
  const fd = fdOf(end, 'from');
  return Object.assign(new Watch(fd, 'readable'), {
    isReady: () => binding().poll(fd, POLLIN, 0) !== 0,
  });
}

function sinkOf(end: TransferEnd): Readiness {
  if (end instanceof PipeWriter) {
    return { ready: (options) => end.writable(options), [Symbol.dispose]() {} };
  }
  return new Watch(fdOf(end, 'to'), 'writable');
}

/** Blocks this thread; false when so many milliseconds are over, or a signal came. */
function becomesReadable(native: PipeBinding, end: TransferEnd, milliseconds: number): boolean {
  if (!(end instanceof PipeReader)) {
    return native.poll(fdOf(end, 'from'), POLLIN, milliseconds) !== 0;
  }
  try {
    end.readableSync({ timeout: milliseconds });
    return true;
  } catch (error) {
    if (isIpcError(error, 'ETIMEDOUT')) return false;
    throw error;
  }
}
