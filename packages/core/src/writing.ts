import { tellBytesWritten, type IpcErrorDetails } from './errors.js';
import { BLOCKED, YIELD, type Attempt, type Operation } from './wait.js';

/** What a blocking write takes. */
export interface WriteSyncOptions {
  /** The longest time to block, in milliseconds. @default Infinity */
  readonly timeout?: number | undefined;
}

/** After so many bytes in a row a write lets the event loop turn, however fast the reader is. */
const BURST = 1024 * 1024;

/**
 * The attempt that writes what is left, and how a cancelled one tells where it stopped.
 *
 * @param put - one write from an offset on: how many bytes the pipe took, 0 if it is full
 * @param length - how many bytes there are
 * @param begun - how many were written before
 * @param details - names the call in errors
 */
export function writingAll(
  put: (written: number) => number,
  length: number,
  begun: number,
  details: IpcErrorDetails,
): { attempt: Attempt<void>; operation: Operation } {
  let written = begun;
  const attempt: Attempt<void> = () => {
    const stop = written + BURST;
    while (written < length) {
      if (written >= stop) return YIELD;
      const count = put(written);
      if (count === 0) return BLOCKED;
      written += count;
    }
  };
  const cancelled = (error: unknown): unknown => tellBytesWritten(error, written);
  return { attempt, operation: { details, cancelled } };
}
