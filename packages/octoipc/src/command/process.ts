import { constants } from 'node:os';

import { STATUS } from './status.js';

/** A ^C within so many milliseconds is the same one, which npm passes on besides. */
const SAME = 500;

/** What ends a command from outside, as a signal that its work can wait on. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** The exit status that a shell expects, once it was interrupted. */
  readonly status: number | undefined;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an abort, so that the command can end its processes first. A second one ends it
 * at once, whatever it still waits for.
 *
 * @returns the interruption; disposing of it gives the signals their default action back
 */
export function interruption(): Interruption {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let status: number | undefined;
  let first = 0;
  const leave = (): void => {
    for (const name of names) process.off(name, interrupt);
  };
  const interrupt = (name: NodeJS.Signals): void => {
    if (status !== undefined) {
      if (performance.now() - first < SAME) return;
      // Not process.exit(), which waits for whoever opens a FIFO.
      leave();
      process.kill(process.pid, name);
      return;
    }
    first = performance.now();
    status = 128 + constants.signals[name];
    controller.abort(new Error(`interrupted by ${name}`));
  };
  for (const name of names) process.on(name, interrupt);
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    [Symbol.dispose]: leave,
  };
}

/**
 * Lets a command go on quietly when whoever read its output has left, as `head` does. Where the output cannot be written
 * for another reason, a full disk say, there is nothing to go on for.
 *
 * @param stream - the command's output
 * @param gone - called when that happens, by whom there is no reason to go on
 */
export function endsQuietly(stream: NodeJS.WriteStream, gone?: () => void): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') {
      gone?.();
      return;
    }
    if (stream !== process.stderr) process.stderr.write(`octoipc: its output: ${error.message}\n`);
    process.exit(STATUS.failed);
  });
}
