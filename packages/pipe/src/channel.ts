import type * as Core from '@octoipc/core';
import type { FrameReceiver, FrameSender } from '@octoipc/core';

import type { PipeReader } from './reader.js';
import type { PipeWriter } from './writer.js';

/** Frames are loaded when a channel is made: who reads and writes bytes does without. */
const frames = (): typeof Core => require('@octoipc/core') as typeof Core;

/** What both ends of a channel over a pipe take. */
export interface PipeChannelOptions {
  /**
   * The longest message, in bytes; the same on both ends.
   *
   * @default 16777216 (16 MiB)
   */
  readonly maxMessageSize?: number;
}

/**
 * Messages over a pipe: frames of a 4-byte little-endian length and then the bytes.
 *
 * @param writer - the write end, which the sender owns from now on
 * @param options - the longest message
 * @returns a sender, for one process
 * @throws {RangeError} ERR_OUT_OF_RANGE when maxMessageSize is no length
 * @example
 * ```js
 * import { createPipe, pipeReceiver, pipeSender } from '@octoipc/pipe';
 *
 * const { reader, writer } = createPipe();
 * const sender = pipeSender(writer);
 * const receiver = pipeReceiver(reader);
 * await sender.send('a message');
 * String(await receiver.receive()); //=> 'a message'
 * ```
 */
export function pipeSender(writer: PipeWriter, options?: PipeChannelOptions): FrameSender {
  return frames().frameSender(writer, { ...options, mechanism: 'pipe' });
}

/**
 * The receiving end of {@link pipeSender}'s messages.
 *
 * @param reader - the read end, which the receiver owns from now on
 * @param options - the longest message
 * @returns a receiver, for one process
 * @throws {RangeError} ERR_OUT_OF_RANGE when maxMessageSize is no length
 */
export function pipeReceiver(reader: PipeReader, options?: PipeChannelOptions): FrameReceiver {
  return frames().frameReceiver(reader, { ...options, mechanism: 'pipe' });
}
