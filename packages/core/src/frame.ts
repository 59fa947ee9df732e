import type { ByteWriter, Bytes, ChannelTraits, Sender } from './channel.js';
import { objectWith, integer, IpcError, optionsObject, type WaitOptions } from './kit.js';

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

/** What a framed sender takes. */
export interface FrameSenderOptions extends FrameOptions {
  /**
   * The longest write that the stream takes as a whole; with several senders no frame may be longer,
   * and none is cut or coalesced over it.
   *
   * @default 4096 (PIPE_BUF)
   */
  readonly atomicSize?: number;
}

/** A {@link Sender} of frames, which can also send many at once. */
export interface FrameSender extends Sender {
  /** Sends all of the messages, in order, with as few writes as possible. */
  sendMany(messages: Iterable<Bytes>, options?: WaitOptions): Promise<void>;
  /**
   * Hands what was sent so far to the stream, as far as that takes it now: some of it waits to be written
   * together, or for the event loop to turn.
   *
   * @returns whether the stream has all of it
   */
  flush(): boolean;
  /**
   * Writes something else to the stream, or ends it, in its place: behind all that was sent before, and
   * before what is sent later.
   *
   * @param write - begins that, and is in the stream's queue when it returns; told what is left of the wait
   * @returns what `write` gives
   * @throws {IpcError} ETIMEDOUT when the timeout is over before its turn comes
   */
  inOrder<T>(write: (wait: WaitOptions) => Promise<T>, options?: WaitOptions): Promise<T>;
  /** Pending sends keep the process alive; that is so from the start. */
  ref(): this;
  /** Pending sends do not keep the process alive. */
  unref(): this;
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

/** How much is gathered for one write. */
const BATCH_SIZE = 64 * 1024;

/** The traits of a sender of frames, and how much it writes at once; checks the options. */
export function senderTraits(options: FrameSenderOptions): {
  traits: ChannelTraits;
  batchSize: number;
  /** Whether the longest message is what the stream takes as a whole, which no option raises. */
  fixed: boolean;
} {
  const traits = frameTraits(options);
  const { atomicSize = 4096 } = options;
  integer(atomicSize, 'options.atomicSize', HEADER + 1);
  if (!traits.multipleSenders) return { traits, batchSize: BATCH_SIZE, fixed: false };
  const longest = atomicSize - HEADER;
  const maxMessageSize = Math.min(traits.maxMessageSize, longest);
  return {
    traits: Object.freeze({ ...traits, maxMessageSize }),
    batchSize: atomicSize,
    fixed: maxMessageSize === longest,
  };
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no stream to write to */
export function checkedWriter(writer: ByteWriter): ByteWriter {
  const methods = ['write', 'tryWrite', 'close'];
  return objectWith(writer, 'writer', methods, 'a writer of bytes');
}
