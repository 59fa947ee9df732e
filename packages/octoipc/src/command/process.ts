import { constants } from 'node:os';

/** What ends a command from outside, as a signal that its work can wait on. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** The exit status that a shell expects, once it was interrupted. */
  readonly status: number | undefined;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP into an abort, so that the command can end its processes first.
 *
 * @returns the interruption; disposing of it gives the signals their default action back
 */
export function interruption(): Interruption {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let status: number | undefined;
  const interrupt = (name: NodeJS.Signals): void => {
    status ??= 128 + constants.signals[name];
    controller.abort(new Error(`interrupted by ${name}`));
  };
  for (const name of names) process.on(name, interrupt);
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    [Symbol.dispose]() {
      for (const name of names) process.off(name, interrupt);
    },
  };
}

/**
 * Lets a command go on quietly when whoever read its output has left, as `head` does.
 *
 * @param stream - the command's output
 * @param gone - called when that happens, by whom there is no reason to go on
 */
export function endsQuietly(stream: NodeJS.WriteStream, gone?: () => void): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    gone?.();
  });
}
