import { once } from 'node:events';

import { IpcError, type WaitOptions } from '@octoipc/core';

import { shownUrl } from '../channels/check.js';
import { checkForms, openInlet, unlessAborted, type ChannelVerbOptions } from './channel.js';
import { jsonOf } from './json.js';
import { OutputFile } from './output-file.js';
import { printable } from './printable.js';
import { endsQuietly, interruption } from './process.js';
import { STATUS } from './status.js';
import { spoken, Traffic } from './traffic.js';

/** What `octoipc recv` takes. */
export interface RecvOptions extends ChannelVerbOptions {
  readonly keep?: boolean;
}

/**
 * The verb `recv`.
 *
 * @param url - of the channel
 * @param options - of the command line
 * @returns the exit status
 */
export async function recv(url: string, options: RecvOptions): Promise<number> {
  checkForms(url, options, true);
  using interrupted = interruption();
  const gone = new AbortController();
  endsQuietly(process.stdout, () => gone.abort());
  const signal = AbortSignal.any([interrupted.signal, gone.signal]);
  const { timeout, count = Infinity, file } = options;
  const wait: WaitOptions = { signal, ...(timeout === undefined ? {} : { timeout }) };
  const traffic = new Traffic(options.rate);
  let opened = false;
  let failure: unknown;
  try {
    // Before anything is made or taken it is known that there is a place for it.
    await using output = file === undefined ? undefined : await OutputFile.open(file);
    const inlet = await openInlet(url, options, wait);
    opened = true;
    try {
      await output?.begin();
      while (traffic.messages < count) {
        await traffic.pace(signal);
        const message = await inlet.receive(wait);
        if (message === null && file !== undefined) throw cutOff(shownUrl(url), file);
        // A file ends with an empty message: some channels have no end of their own.
        if (message === null || (file !== undefined && message.length === 0)) break;
        traffic.add(message.length);
        if (output === undefined) await put(formOf(message, options), signal);
        else await output.add(message);
      }
      await inlet.done();
    } finally {
      inlet.close();
    }
  } catch (error) {
    failure = error;
  }
  if (opened) report(traffic, options);
  if (failure !== undefined) unlessAborted(failure, signal);
  return interrupted.status ?? STATUS.ok;
}

/** The sender has not lived to say that the file is whole. */
function cutOff(target: string, file: string): IpcError {
  return new IpcError('ERR_TRUNCATED', {
    syscall: 'recv',
    target,
    text: 'the sender has left before the end of the file',
    hint: `what has come is in ${file}; octoipc send --file ends a file with an empty message`,
  });
}

/** A message as it is put out. */
function formOf(message: Buffer, { frames, json }: RecvOptions): Buffer | string {
  if (json === true) return `${jsonOf(described(message))}\n`;
  if (frames === true) {
    const header = Buffer.alloc(4);
    header.writeUInt32LE(message.length);
    return Buffer.concat([header, message]);
  }
  if (process.stdout.isTTY)
    return `${printable(message.toString('utf8')).replaceAll(String.raw`\x09`, '\t')}\n`;
  return Buffer.concat([message, Buffer.from('\n')]);
}

/** Text as text, anything else in base64. */
function described(message: Buffer): { message: string } | { base64: string } {
  const text = message.toString('utf8');
  return Buffer.from(text).equals(message)
    ? { message: text }
    : { base64: message.toString('base64') };
}

async function put(data: Buffer | string, signal: AbortSignal): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, 'drain', { signal });
}

function report(traffic: Traffic, { json = false, quiet = false }: RecvOptions): void {
  if (quiet) return;
  const figures = traffic.figures();
  const text = json ? JSON.stringify(figures) : `octoipc recv: ${spoken(figures)}`;
  process.stderr.write(`${text}\n`);
}
