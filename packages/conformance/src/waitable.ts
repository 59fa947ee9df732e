import type { Closable, WaitOptions } from '@octoipc/core';

import type { Adapter } from './adapter.js';
import type { Suite } from './case.js';
import { waitCancelling } from './waitable-cancel.js';
import { waitClosing } from './waitable-close.js';
import { waitServing } from './waitable-serve.js';

/** What a thing that can be waited for may lack. */
export type WaitableTrait =
  /** A wait gives the very token that was given, so that order and loss show one by one. */
  | 'tokens'
  /** `waitSync`. */
  | 'sync';

/** One thing that can be waited for, with whatever else it takes to make the wait succeed. */
export interface Waitable {
  /** The handle that waits. */
  readonly handle: Closable & { ref(): unknown; unref(): unknown };
  /** Waits, and takes one token: a message, a byte, a permit. */
  wait(options?: WaitOptions): Promise<unknown>;
  /** Takes a token if there is one now; `undefined` if a wait would have to wait. */
  tryTake(): unknown;
  /** Blocks this thread. */
  waitSync?(options?: Pick<WaitOptions, 'timeout'>): unknown;
  /** Lets one wait succeed, now or later. Tokens are whole numbers from 0 to 255. */
  give(token: number): Promise<void> | void;
  /** Closes the handle and everything else. */
  close(): void;
}

/** How to make things of a mechanism that can be waited for. */
export interface WaitableAdapter extends Adapter<WaitableTrait> {
  /** A new thing, which nothing was given to yet. The suite closes it. */
  open(): Waitable | Promise<Waitable>;
}

/** All cases of waiting. */
export const waitableSuite: Suite<WaitableAdapter> = {
  trait: 'waiting',
  cases: [...waitServing, ...waitCancelling, ...waitClosing],
};
