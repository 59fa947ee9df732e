import type { WaitOptions } from '@octoipc/core';

/** A message of a System V queue. */
export interface SysvMessage {
  /** Its bytes, which are yours: of `into`, if that was given. */
  readonly data: Buffer;
  /** From 1 up; exact as far as JavaScript counts, 2^53 - 1. */
  readonly type: number;
}

/** What a send takes. */
export interface SysvSendOptions extends WaitOptions {
  /** From 1 up. @default 1 */
  readonly type?: number | undefined;
}

/** Which message, and how much of it. */
export interface SysvSelection {
  /**
   * 0: the oldest; above 0: the oldest of this type; below 0: of the lowest type up to |type| the oldest.
   *
   * @default 0
   */
  readonly type?: number | undefined;
  /** A type that is not wanted, or `true`: all but `type` (MSG_EXCEPT). @default false */
  readonly except?: boolean | number | undefined;
  /** Of a longer message just so many bytes, or with `true` just `maxBytes`; the rest is lost. @default false */
  readonly truncate?: boolean | number | undefined;
  /** A longer message stays where it is, and the receive rejects with `E2BIG`. @default Infinity */
  readonly maxBytes?: number | undefined;
}

/** Where one message is received to. */
export interface SysvTarget {
  /**
   * Memory to receive into; `data` is the part that was filled, until the next message. A longer message
   * stays where it is, as with `maxBytes`. @default memory of the message's own
   */
  readonly into?: Uint8Array | undefined;
}

/** What a receive takes. */
export interface SysvReceiveOptions extends SysvSelection, SysvTarget, WaitOptions {}

/** What `receiveMany` takes. */
export interface SysvReceiveManyOptions extends SysvSelection, WaitOptions {
  /** No more than so many. @default Infinity */
  readonly max?: number | undefined;
}
