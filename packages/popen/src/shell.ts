import { following } from '@octoipc/core/kit';
import type { LinesOptions } from '@octoipc/pipe';

import { lazily } from './lazily.js';
import type { PopenOptions } from './options.js';
import type { Mode } from './mode.js';
import type { Process } from './process.js';
import { quotedLine, ShellLine, type Word } from './quote.js';
import { start } from './start.js';
import type { ExitStatus } from './status.js';

/**
 * A command line whose interpolated parts are quoted. It is what `popen`, `pipeline` and `popenSync` take
 * as a command, and can be started by itself.
 */
export class ShellCommand extends ShellLine implements AsyncIterable<Buffer> {
  /** Starts it, as `popen` does. */
  start<const M extends Mode = 'r'>(mode?: M, options?: PopenOptions): Process<M> {
    return start(this, mode, options);
  }

  /** Starts it and collects its stdout. */
  bytes(options?: PopenOptions): Promise<Buffer> {
    return start(this, 'r', options).bytes();
  }

  /** Starts it and collects its stdout as UTF-8 text. */
  text(options?: PopenOptions): Promise<string> {
    return start(this, 'r', options).text();
  }

  /** Starts it and collects its stdout as JSON. */
  json(options?: PopenOptions): Promise<unknown> {
    return start(this, 'r', options).json();
  }

  /** Starts it and gives the lines of its stdout; whoever leaves the loop ends it. */
  lines(options?: PopenOptions & LinesOptions): AsyncIterableIterator<string> {
    return untilLeft(
      () => start(this, 'r', options),
      (running) => running.lines(options),
    );
  }

  /** Starts it with the parent's stdout, and waits for its end. */
  run(options?: PopenOptions): Promise<ExitStatus> {
    const running = start(this, 'w', options);
    return running.close();
  }

  /** Starts it and gives chunks of its stdout; whoever leaves the loop ends it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return untilLeft(
      () => start(this, 'r'),
      (running) => running[Symbol.asyncIterator](),
    );
  }
}

/** What a program says; whoever leaves early ends it, since nobody else can reach it. */
function untilLeft<T>(
  begin: () => Process<'r'>,
  said: (running: Process<'r'>) => AsyncIterator<T>,
): AsyncIterableIterator<T> {
  let running: Process<'r'> | undefined;
  const stop = async (): Promise<void> => {
    await running?.[Symbol.asyncDispose]();
  };
  const steps = lazily(() => said((running = begin())));
  return following<T, T>(steps, { value: (one) => one, failed: stop, left: stop });
}

/** A template's command line; see `popen.sh`. */
export function sh(strings: TemplateStringsArray, ...values: readonly Word[]): ShellCommand {
  return new ShellCommand(quotedLine(strings, values));
}
