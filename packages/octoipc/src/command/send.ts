import type { FileHandle } from 'node:fs/promises';

import { IpcError, type WaitOptions } from '@octoipc/core';

import { shownUrl } from '../channels/check.js';
import { checkForms, openOutlet, unlessAborted, type ChannelVerbOptions } from './channel.js';
import { framesOf, linesOf, openSource, partsOf } from './messages-in.js';
import { interruption } from './process.js';
import { STATUS } from './status.js';
import { spoken, Traffic } from './traffic.js';

/** What `octoipc send` takes. */
export interface SendOptions extends ChannelVerbOptions {
  readonly priority?: number;
}

/**
 * The verb `send`.
 *
 * @param url - of the channel
 * @param options - of the command line
 * @returns the exit status
 */
export async function send(url: string, options: SendOptions): Promise<number> {
  checkForms(url, options, false);
  using interrupted = interruption();
  const { signal } = interrupted;
  const { timeout, count = Infinity } = options;
  const wait: WaitOptions = { signal, ...(timeout === undefined ? {} : { timeout }) };
  const traffic = new Traffic(options.rate);
  let opened = false;
  let failure: unknown;
  try {
    await using source = options.file === undefined ? undefined : await openSource(options.file);
    const outlet = await openOutlet(url, options, wait);
    opened = true;
    try {
      for await (const message of messagesOf(options, source, outlet.longest, signal)) {
        if (traffic.messages >= count) break;
        await traffic.pace(signal);
        await outlet.send(message, wait).catch((error: unknown) => {
          throw refusalOf(error, shownUrl(url));
        });
        traffic.add(message.length);
        if (traffic.messages >= count) break;
      }
      // Who waits for nothing is not told.
      if (timeout !== 0) await outlet.done(wait);
    } finally {
      outlet.close();
    }
  } catch (error) {
    failure = error;
  }
  if (opened) report(traffic, options);
  if (failure !== undefined) unlessAborted(failure, signal);
  return interrupted.status ?? STATUS.ok;
}

/** What is sent: a file, or what standard input has, which is let go when nobody wants more of it. */
async function* messagesOf(
  { frames }: SendOptions,
  source: FileHandle | undefined,
  longest: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  if (source !== undefined) {
    yield* partsOf(source, longest);
    return;
  }
  const { stdin } = process;
  const leave = (): void => void stdin.destroy();
  signal.addEventListener('abort', leave, { once: true });
  try {
    yield* frames === true ? framesOf(stdin) : linesOf(stdin, longest);
  } finally {
    signal.removeEventListener('abort', leave);
    leave();
  }
}

/** A message that a mechanism has no place for, an empty packet say, is no wrong usage: it came as data. */
function refusalOf(error: unknown, target: string): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  const refused = typeof code === 'string' && code.startsWith('ERR_INVALID_ARG');
  return refused ? new IpcError('EINVAL', { target, text: message, cause: error }) : error;
}

function report(traffic: Traffic, { json = false, quiet = false }: SendOptions): void {
  const figures = traffic.figures();
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else if (!quiet) process.stderr.write(`octoipc send: ${spoken(figures)}\n`);
}
