import type { WaitOptions } from '@octoipc/core';

/** A message of a POSIX queue. */
export interface PosixMessage {
  /** Its bytes, which are yours: of `into`, if that was given. */
  readonly data: Buffer;
  /** 0 to 32767; the highest comes first. */
  readonly priority: number;
}

/** What a send takes. */
export interface PosixSendOptions extends WaitOptions {
  /** 0 to 32767; the highest is received first. @default 0 */
  readonly priority?: number | undefined;
}

/** What a receive takes. */
export interface PosixReceiveOptions extends WaitOptions {
  /**
   * Memory to receive into, with room for `maxMessageSize` bytes; `data` is the part that was filled,
   * until the next message. @default memory of the message's own
   */
  readonly into?: Uint8Array | undefined;
}

/** What `receiveMany` takes. */
export interface ReceiveManyOptions extends WaitOptions {
  /** No more than so many. @default Infinity */
  readonly max?: number | undefined;
}

/** What a queue is, and how many messages it holds. */
export interface PosixAttributes {
  readonly maxMessages: number;
  /** Bytes of the longest message. */
  readonly maxMessageSize: number;
  readonly currentMessages: number;
}
