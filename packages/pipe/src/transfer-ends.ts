import type { WaitOptions } from '@octoipc/core';
import {
  closedError,
  onAbort,
  isIpcError,
  POLLIN,
  type Direction,
  type FdHandle,
  type Operation,
} from '@octoipc/core/kit';

import { binding, type PipeBinding } from './binding.js';
import { fdOf, isReader, isWriter, type TransferEnd } from './transfer-progress.js';
import { Watch } from './watch.js';

interface Readiness extends Disposable {
  ready(options: WaitOptions): Promise<void>;
}

/** Waits through the handle, behind those who wait there; a bare descriptor is watched by itself. */
export function sourceOf(end: TransferEnd): Readiness & { isReady(): boolean } {
  if (isReader(end)) {
    return {
      isReady: () => end.isReadable,
      ready: (options) => end.readable(options),
      [Symbol.dispose]() {},
    };
  }
  const fd = fdOf(end, 'from');
  return {
    ...watchOf(fd, 'readable'),
    isReady: () => binding().poll(fd, POLLIN, 0) !== 0,
  };
}

/** Waits through the handle, or watches a bare descriptor. */
export function sinkOf(end: TransferEnd): Readiness {
  if (isWriter(end)) {
    return { ready: (options) => end.writable(options), [Symbol.dispose]() {} };
  }
  return watchOf(fdOf(end, 'to'), 'writable');
}

/** Watches from the first wait on. */
function watchOf(fd: number, direction: Direction): Readiness {
  let watch: Watch | undefined;
  return {
    ready: (options) => (watch ??= new Watch(fd, direction)).ready(options),
    [Symbol.dispose]: () => watch?.close(),
  };
}

/** Blocks this thread; false when so many milliseconds are over, or a signal came. */
export function becomesReadable(
  native: PipeBinding,
  end: TransferEnd,
  milliseconds: number,
): boolean {
  if (!isReader(end)) {
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

/** Runs with a signal that also ends the work, with ERR_CLOSED, when a handle among its ends is closed. */
export async function whileOpen<T>(
  ends: readonly TransferEnd[],
  signal: AbortSignal | undefined,
  { details }: Operation,
  run: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const forget = signal && onAbort(signal, () => controller.abort(signal.reason));
  const undo = ends
    .filter((end): end is FdHandle => typeof end === 'object' && 'onClosed' in end)
    .map((end) => end.onClosed(() => controller.abort(closedError(details))));
  try {
    return await run(controller.signal);
  } finally {
    forget?.();
    for (const takeBack of undo) takeBack();
  }
}
