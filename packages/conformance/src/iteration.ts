import type { Adapter } from './adapter.js';
import type { Suite } from './case.js';
import { iterationEnds } from './iteration-ends.js';
import { iterationLeft } from './iteration-left.js';

/** What an iteration may lack. */
export type IterationTrait =
  /** An item tells the token that was given, so that order and loss show one by one. */
  | 'tokens'
  /** Several iterations of one handle may go on at once. */
  | 'several';

/** One thing that can be iterated over, with whatever else it takes to make the next item come. */
export interface Iterated {
  /** Begins an iteration. */
  iterate(): AsyncIterator<unknown>;
  /** What closes it. */
  readonly handle: { readonly closed: boolean; close(): void };
  /** Lets one item come, now or later. Tokens are whole numbers from 0 to 255. */
  give(token: number): Promise<void> | void;
  /** The token that an item tells; whatever an item owns is released. */
  token(item: never): unknown;
  /** Closes the handle and everything else. */
  close(): void;
}

/** How to make things of a mechanism that can be iterated over. */
export interface IterationAdapter extends Adapter<IterationTrait> {
  /** A new thing, which nothing was given to yet. The suite closes it. */
  open(): Iterated | Promise<Iterated>;
}

/** All cases of iterating. */
export const iterationSuite: Suite<IterationAdapter> = {
  trait: 'iteration',
  cases: [...iterationEnds, ...iterationLeft],
};
