import type { ChannelTraits } from './channel.js';
import { integer, IpcError, optionsObject } from './kit.js';

/** A frame is a 4-byte little-endian length and then so many bytes. */
export const HEADER = 4;

/** What both ends of a framed channel take. */
export interface FrameOptions {
  /**
   * The longest message, in bytes; a longer one is refused by the sender, and by the receiver before
   * anything is allocated.
   *
   * @default 16777216 (16 MiB)
   */
  readonly maxMessageSize?: number;
  /** The mechanism below, for `traits`. @default 'stream' */
  readonly mechanism?: string;
  /** Whether several processes may send at once: then no write is longer than `atomicSize`. @default false */
  readonly multipleSenders?: boolean;
  /** Whether the stream may end on another machine. @default false */
  readonly crossMachine?: boolean;
}

const DEFAULT_MAX_MESSAGE_SIZE = 16 * 1024 * 1024;
const LARGEST_MAX_MESSAGE_SIZE = 0xffff_ffff;

/** The traits of a channel of frames; checks the options. */
export function frameTraits(options: FrameOptions): ChannelTraits {
  const {
    maxMessageSize = DEFAULT_MAX_MESSAGE_SIZE,
    mechanism = 'stream',
    multipleSenders = false,
    crossMachine = false,
  } = optionsObject(options);
  integer(maxMessageSize, 'options.maxMessageSize', 0, LARGEST_MAX_MESSAGE_SIZE);
  return Object.freeze({
    mechanism,
    boundaries: 'frames' as const,
    priorities: false,
    persistent: false,
    multipleSenders,
    multipleReceivers: false,
    maxMessageSize,
    crossMachine,
  });
}

/** What a message over the limit is refused with; `fixed` if the limit cannot be raised. */
export function tooLong(size: number, limit: number, syscall: string, fixed = false): IpcError {
  return new IpcError('EMSGSIZE', {
    syscall,
    hint: fixed
      ? `the message has ${size} bytes, of ${limit} at most where several may send at once (PIPE_BUF): send it in parts, or have one sender`
      : `the message has ${size} bytes, maxMessageSize is ${limit}: raise maxMessageSize on both ends, or send it in parts`,
  });
}
