import type { IpcErrorDetails } from './errors.js';

/** What an attempt answers when it would have to wait. */
export const BLOCKED: unique symbol = Symbol('blocked');

/** What an attempt answers when it could go on, but others should have their turn first. */
export const YIELD: unique symbol = Symbol('yield');

/** One try of an operation: its result, {@link BLOCKED} or {@link YIELD}. It must not wait. */
export type Attempt<T> = () => T | typeof BLOCKED | typeof YIELD;

/** What an operation tells its queue beside the attempt. */
export interface Operation {
  /** The call's name and target, for a timeout's error. */
  readonly details: IpcErrorDetails;
  /** Completes the error of a cancelled wait: what had been done by then. */
  readonly cancelled?: (error: unknown) => unknown;
  /** Whether there is something that the source does not tell of: it was taken out of the kernel before. */
  readonly ready?: () => boolean;
  /** Told once if the call has to queue, whether it was tried or not: what it was passed may change from now on. */
  readonly queued?: () => void;
}
