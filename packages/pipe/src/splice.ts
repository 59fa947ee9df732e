import type { WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  busyError,
  POLLOUT,
  timeoutError,
  waitOptions,
  waitSync,
  YIELD,
} from '@octoipc/core/kit';

import { binding } from './binding.js';
import { Transfer } from './transfer.js';
import { becomesReadable, sinkOf, sourceOf, whileOpen } from './transfer-ends.js';
import {
  hasWaiters,
  Progress,
  type Call,
  type TransferEnd,
  type TransferOptions,
} from './transfer-progress.js';

export type { TransferEnd, TransferOptions } from './transfer-progress.js';

/**
 * Moves bytes inside the kernel, without a copy through this process. One of the ends must be a pipe.
 *
 * Between pipes, and with a stream socket that is a handle's or in non-blocking mode (as Node's are), it
 * runs on the event loop; with a file, a terminal or any other socket at one end, which may block
 * whatever splice(2) is told, on a thread of its own. It never takes a thread of libuv's pool.
 *
 * @param from - the source
 * @param to - the destination
 * @param options - how many bytes, and how long it may take
 * @returns how many bytes were moved; fewer than `length` only if the source ended
 * @throws {IpcError} EINVAL when neither is a pipe, or the destination was opened for appending
 * @throws {IpcError} EPIPE when the destination's reader is gone
 * @throws {IpcError} ENOTSUP when urgent data (MSG_OOB) come next in a stream socket
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
  const deadline = timeout === undefined ? Infinity : performance.now() + timeout;
  const left = (): WaitOptions => ({
    signal,
    timeout: Math.max(0, deadline - performance.now()),
  });
  using source = sourceOf(from);
  using sink = sinkOf(to);
  try {
    // First come, first served: behind those who wait on the handles.
    if (hasWaiters(from)) await source.ready(left());
    if (call === 'splice' && !progress.needsNoThread) {
      while (hasWaiters(to)) await sink.ready(left());
      return await whileOpen([from, to], signal, progress, (either) =>
        Transfer.run(binding(), progress, { ...left(), signal: either }),
      );
    }
    const outcome = progress.attempt();
    if (outcome !== BLOCKED && outcome !== YIELD) return outcome;
    return await whileOpen([from, to], signal, progress, (either) =>
      between(outcome, progress, to, source, sink, () => ({ ...left(), signal: either })),
    );
  } catch (error) {
    throw progress.cancelled(error);
  }
}

/** Between pipes and stream sockets, on the event loop, after a first attempt. */
async function between(
  first: typeof BLOCKED | typeof YIELD,
  progress: Progress,
  to: TransferEnd,
  source: ReturnType<typeof sourceOf>,
  sink: ReturnType<typeof sinkOf>,
  left: () => WaitOptions,
): Promise<number> {
  const native = binding();
  let idle = 0;
  for (let outcome: typeof BLOCKED | typeof YIELD = first; ;) {
    const { moved } = progress;
    const wait = left();
    wait.signal?.throwIfAborted();
    if (wait.timeout === 0) throw timeoutError(progress.details);
    if (outcome === YIELD) await turn();
    else if (!source.isReady()) await source.ready(wait);
    else if (hasWaiters(to) || native.poll(progress.to, POLLOUT, 0) === 0) await sink.ready(wait);
    // Both are ready, and nothing moves: the kernel has no room that poll(2) knows of.
    else await (idle > MOST_IDLE ? rest() : turn());
    const next = progress.attempt();
    if (next !== BLOCKED && next !== YIELD) return next;
    idle = progress.moved === moved ? idle + 1 : 0;
    outcome = next;
  }
}

/** So many turns in a row may move nothing before one takes a millisecond. */
const MOST_IDLE = 16;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

function transferSync(
  call: Call,
  from: TransferEnd,
  to: TransferEnd,
  options: TransferOptions | undefined,
): number {
  const progress = new Progress(call, from, to, options);
  const { timeout } = waitOptions(options);
  if (hasWaiters(from) || hasWaiters(to)) throw busyError(progress.details);
  const native = binding();
  let [idle, moved] = [0, 0];
  const sleep = (milliseconds: number): void => {
    idle = progress.moved === moved ? idle + 1 : 0;
    ({ moved } = progress);
    if (idle > MOST_IDLE) native.poll(progress.to, 0, 1);
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
  if (progress.length === 0 || hasWaiters(from)) return 0;
  return Math.max(0, progress.step());
}
