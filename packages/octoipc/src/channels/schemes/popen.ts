import {
  frameReceiver,
  frameSender,
  IpcError,
  type Receiver,
  type Sender,
  type WaitOptions,
} from '@octoipc/core';
import { closedError, iterate } from '@octoipc/core/kit';
import type { ExitStatus, Process } from '@octoipc/popen';

import { badUrl, checkOptions, given, restOf } from '../check.js';
import type { ChannelOptions } from '../options.js';
import type { Scheme } from '../registry.js';
import { ToldReceiver, ToldSender } from '../traits.js';
import { owning } from './pipe.js';

const BOTH = ['maxMessageSize', 'cwd', 'env'] as const;

/** A program that is closed before its end has so long to end by itself, in milliseconds. */
const GRACE = 1000;

/** Frames to a program's stdin, or from its stdout. */
export const scheme: Scheme = {
  async sender(url, options) {
    const { command, settings, limit } = checked(url, options);
    const { popen } = await import('@octoipc/popen');
    const program = popen(command, 'w', settings);
    return owning(new Closing(program), (closing) => {
      const sender = frameSender(program.stdin, { ...limit, mechanism: 'popen' });
      return new PopenSender(sender, closing);
    });
  },
  async receiver(url, options) {
    const { command, settings, limit } = checked(url, options);
    const { popen } = await import('@octoipc/popen');
    const program = popen(command, 'r', { ...settings, check: true });
    return owning(new Closing(program), (closing) => {
      const receiver = frameReceiver(program.stdout, { ...limit, mechanism: 'popen' });
      return new PopenReceiver(receiver, closing);
    });
  },
};

function checked(
  url: string,
  options: ChannelOptions,
): { command: string; settings: object; limit: { maxMessageSize?: number } } {
  checkOptions('popen', options, BOTH, 'one');
  const command = restOf(url);
  if (command.trim() === '' || command.includes('\0')) {
    throw badUrl('popen', url, 'must have a command for the shell, without NUL');
  }
  const { cwd, env, maxMessageSize } = options;
  return { command, settings: given({ cwd, env }), limit: given({ maxMessageSize }) };
}

/** The end of a program, once; its status is taken whatever it is. */
class Closing {
  readonly program: Process<'r' | 'w'>;

  constructor(program: Process<'r' | 'w'>) {
    this.program = program;
  }

  /** Closes the pipe and, as pclose(3), keeps this process until the program has ended. */
  close(): void {
    void this.program.close().catch(() => {});
  }

  /** How it has failed. */
  failure({ code, signal }: ExitStatus): IpcError {
    return new IpcError('ERR_PROCESS_FAILED', {
      syscall: 'popen',
      target: this.program.pid,
      text: `the program has ended with ${signal ?? `status ${code}`}`,
    });
  }

  /** {@link close} for a program that nobody listens to any more: it is told to end. */
  stop(): void {
    try {
      this.program.kill('SIGTERM', { after: GRACE });
    } catch {
      // It has become another user's, as what sudo runs: it sees that its reader has left.
    }
    this.close();
  }
}

class PopenSender extends ToldSender {
  readonly #closing: Closing;

  constructor(sender: Sender, closing: Closing) {
    super(sender, { mechanism: 'popen' });
    this.#closing = closing;
  }

  override close(): void {
    if (this.closed) return;
    super.close();
    this.#closing.close();
  }

  /** The program has ended: with a status that is not 0 it has failed. Who stops waiting for it leaves it alone. */
  async finish(options?: WaitOptions): Promise<void> {
    this.close();
    const { program } = this.#closing;
    const status = await program.close(waitOf(options)).catch((error: unknown) => {
      program.unref();
      throw error;
    });
    if (!status.ok) throw this.#closing.failure(status);
  }
}

class PopenReceiver extends ToldReceiver {
  readonly #closing: Closing;
  /** The stream has ended. */
  #ending = false;
  /** The program has, too, and somebody was told how. */
  #over = false;
  #closed = false;

  constructor(receiver: Receiver, closing: Closing) {
    super(receiver, { mechanism: 'popen' });
    this.#closing = closing;
  }

  override get closed(): boolean {
    return this.#closed;
  }

  /** The end is one of the program, too: with a status that is not 0 it is a failure. */
  override async receive(options?: WaitOptions): Promise<Buffer | null> {
    this.#checkOpen();
    if (this.#over) return null;
    if (!this.#ending) {
      const message = await super.receive(options).catch((error: unknown) => {
        // Somebody else has come to the end meanwhile.
        if (this.#ending && !this.#closed) return null;
        throw error;
      });
      if (message !== null) return message;
    }
    this.#ending = true;
    await this.#closing.program.close(waitOf(options)).finally(() => {
      this.#over = this.#closing.program.status !== null;
    });
    return null;
  }

  override tryReceive(): Buffer | null | undefined {
    this.#checkOpen();
    if (this.#over) return null;
    const message = this.#ending ? null : super.tryReceive();
    if (message !== null) return message;
    if (!this.#ending) this.#closing.close();
    this.#ending = true;
    const { status } = this.#closing.program;
    if (status === null) return undefined;
    this.#over = true;
    if (status.ok) return null;
    throw this.#closing.failure(status);
  }

  override [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.receive(wait) });
  }

  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    super.close();
    if (this.#over) this.#closing.close();
    else this.#closing.stop();
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError({ syscall: 'receive' });
  }
}

function waitOf(options: WaitOptions | undefined): WaitOptions {
  const { signal, timeout } = options ?? {};
  return { signal, timeout };
}
