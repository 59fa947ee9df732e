import { following, IpcError } from '@octoipc/core/kit';

import { collect } from './collect.js';
import type { InputWriter } from './input.js';
import { lazily } from './lazily.js';
import type { OutputReader } from './output.js';
import type { Run } from './run.js';
import type { ExitStatus } from './status.js';

/**
 * What is said to a program and by it, and when our ends of its pipes are closed.
 *
 * Lifetime: they are closed by `close`, and by whatever comes to the end of all of its output.
 */
export class Conversation {
  readonly #run: Run;
  #collected: Promise<Buffer> | undefined;
  #closing: Promise<ExitStatus> | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  /** @throws {IpcError} EBADF when the program is not written to */
  input(): InputWriter {
    if (this.#run.ends.stdin !== null) return this.#run.ends.stdin;
    throw this.#notOpen('written', "'w' or 'r+'");
  }

  /** @throws {IpcError} EBADF when the program is not read */
  output(): OutputReader {
    this.#run.ends.stderr?.relieve();
    if (this.#run.ends.stdout !== null) return this.#run.ends.stdout;
    throw this.#notOpen('read', "'r' or 'r+'");
  }

  /** Resolves when the program has ended, which it can whether or not somebody reads its stderr. */
  get exited(): Promise<ExitStatus> {
    this.#run.ends.stderr?.relieve();
    return this.#run.exited;
  }

  /** All of its output, once that has ended and the program too. */
  bytes(): Promise<Buffer> {
    this.#collected ??= this.#collect();
    return this.#collected;
  }

  /** Output as it comes; at its end what nobody has any more use for is closed. */
  toEnd<T>(said: () => AsyncIterator<T>): AsyncIterableIterator<T> {
    return following<T, T>(lazily(said), {
      value: (one) => one,
      ended: async () => {
        // Who has closed it himself does not wait for what it was worth.
        if (this.#run.ends.stdout?.closed === true && this.#run.child.status === null) return;
        await this.#judge();
      },
      failed: () => {
        if (this.#run.why !== undefined) this.#endOfOutput();
      },
    });
  }

  /** Ends what is said to it, and waits for its end; the same each time. */
  close(): Promise<ExitStatus> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** Closes what nobody has any more use for once the output was collected. */
  letGo(): void {
    const { stdin, stdout, stderr } = this.#run.ends;
    stdin?.close();
    stdout?.close();
    if (this.#run.settings.stderr === undefined) stderr?.close();
  }

  /** The same when the program has ended. */
  async letGoInTheEnd(): Promise<void> {
    await this.exited.catch(() => undefined);
    this.letGo();
  }

  #notOpen(done: string, modes: string): IpcError {
    const hint = `it was not started to be ${done}: use mode ${modes}`;
    return new IpcError('EBADF', { syscall: 'popen', target: this.#run.label, hint });
  }

  async #collect(): Promise<Buffer> {
    try {
      const collected = await collect(this.output(), this.#run);
      await this.exited;
      const error = this.#run.error(collected);
      if (error !== undefined) throw error;
      return collected;
    } finally {
      this.letGo();
    }
  }

  /** What its end says of its output, which is over. */
  async #judge(): Promise<void> {
    try {
      if (!this.#isJudged) return;
      await this.exited;
      const error = this.#run.error();
      if (error !== undefined) throw error;
    } finally {
      this.#endOfOutput();
    }
  }

  /** Whether its end says what its output is worth. */
  get #isJudged(): boolean {
    return this.#run.settings.check || this.#run.why !== undefined;
  }

  #endOfOutput(): void {
    if (this.#collected !== undefined) return;
    if (this.#isJudged) this.letGo();
    else this.#run.ends.stdout?.close();
  }

  async #finish(): Promise<ExitStatus> {
    const { ends, child } = this.#run;
    const { stdin, stdout, stderr } = ends;
    const { exited } = this;
    if (stdout?.isAwaited === false && this.#collected === undefined) stdout.close();
    await stdin?.finish().catch(() => undefined);
    const status = await exited.finally(() => {
      if (this.#collected === undefined && stdout?.isAwaited === false) stdout.close();
    });
    // What it wrote to stderr belongs to the error.
    const error = this.#run.error();
    if (stderr?.isAwaited === false) stderr.close();
    const expected = this.#run.why === 'timeout' && !this.#run.settings.check;
    if (error !== undefined && !expected) throw error;
    return child.status ?? status;
  }
}
