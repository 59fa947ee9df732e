import type * as Core from '@octoipc/core';
import type { FrameOptions, FrameReceiver, FrameSender } from '@octoipc/core';
import { integer, optionalBoolean, optionsObject } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { openReader, type OpenReaderOptions } from './open-reader.js';
import { openWriter, type OpenWriterOptions } from './open-writer.js';

/** Frames are loaded when a channel is made: who reads and writes bytes does without. */
const core = (): typeof Core => require('@octoipc/core') as typeof Core;

interface ChannelOptions {
  /**
   * The longest message, in bytes; the same on both ends.
   *
   * @default 16777216 (16 MiB); with `multipleSenders` 4092, which is also the most
   */
  readonly maxMessageSize?: number | undefined;
  /**
   * Whether several processes may send at once. Then a message and its length are written as a whole or
   * not at all, so none is longer than PIPE_BUF allows. The same on both ends.
   *
   * @default false for a sender; for a receiver, whatever `persistent` is
   */
  readonly multipleSenders?: boolean | undefined;
}

/** What `fifoSender` takes. */
export interface FifoSenderOptions extends OpenWriterOptions, ChannelOptions {}

/** What `fifoReceiver` takes. */
export interface FifoReceiverOptions extends OpenReaderOptions, ChannelOptions {
  /**
   * Outlive the senders: when the last one has left, wait for the next. Without `multipleSenders` each
   * sender must have ended at a message's end, or what follows is not understood.
   *
   * @default whatever `multipleSenders` is
   */
  readonly persistent?: boolean | undefined;
}

/** A frame is a length of so many bytes, and then the message. */
const HEADER = 4;

const DEFAULT_MAX_MESSAGE_SIZE = 16 * 1024 * 1024;

/** A length has 32 bits. */
const LONGEST = 0xffff_ffff;

/**
 * Opens a FIFO to send messages: frames of a 4-byte little-endian length and then the bytes. Waits until
 * somebody reads.
 *
 * @param path - of the FIFO
 * @param options - those of {@link openWriter}; the longest message; whether others send too
 * @returns the sender, whose `send` rejects with EMSGSIZE when a message is too long
 * @throws {IpcError} as {@link openWriter} does
 * @throws {RangeError} ERR_OUT_OF_RANGE when maxMessageSize is no length
 * @example
 * ```js
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { fifoReceiver, fifoSender, unlink } from '@octoipc/fifo';
 *
 * const path = `${mkdtempSync(`${tmpdir()}/`)}/jobs`;
 * const receiver = await fifoReceiver(path, { create: true, multipleSenders: true });
 * const sender = await fifoSender(path, { multipleSenders: true });
 * await sender.send('a message');
 * String(await receiver.receive()); //=> 'a message'
 * sender.traits.maxMessageSize; //=> 4092
 * sender.close();
 * receiver.close();
 * unlink(path);
 * ```
 */
export async function fifoSender(path: string, options?: FifoSenderOptions): Promise<FrameSender> {
  const { multipleSenders } = optionsObject(options);
  const several = optionalBoolean(multipleSenders, 'options.multipleSenders') ?? false;
  const frames = framesOf(options, several);
  const writer = await openWriter(path, options);
  return core().frameSender(writer, { ...frames, atomicSize: binding().pipeBuf });
}

/**
 * Opens a FIFO to receive {@link fifoSender}'s messages.
 *
 * @param path - of the FIFO
 * @param options - those of {@link openReader}; the longest message; whether several send. A receiver of
 *   several senders outlives them unless `persistent` is false
 * @returns the receiver; unless it is persistent, its end is when the last sender has left
 * @throws {IpcError} as {@link openReader} does
 * @throws {RangeError} ERR_OUT_OF_RANGE when maxMessageSize is no length
 */
export async function fifoReceiver(
  path: string,
  options?: FifoReceiverOptions,
): Promise<FrameReceiver> {
  const { multipleSenders, persistent } = optionsObject(options);
  optionalBoolean(multipleSenders, 'options.multipleSenders');
  optionalBoolean(persistent, 'options.persistent');
  const frames = framesOf(options, multipleSenders ?? persistent ?? false);
  const reader = await openReader(path, {
    ...options,
    persistent: persistent ?? multipleSenders ?? false,
  });
  return core().frameReceiver(reader, frames);
}

/** The options of both ends' frames, checked. */
function framesOf(options: ChannelOptions | undefined, multipleSenders: boolean): FrameOptions {
  const { maxMessageSize } = optionsObject(options);
  if (maxMessageSize !== undefined) integer(maxMessageSize, 'options.maxMessageSize', 0, LONGEST);
  const wanted = maxMessageSize ?? DEFAULT_MAX_MESSAGE_SIZE;
  const most = multipleSenders ? binding().pipeBuf - HEADER : LONGEST;
  return { mechanism: 'fifo', multipleSenders, maxMessageSize: Math.min(wanted, most) };
}
