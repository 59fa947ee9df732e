import type { Closable } from '@octoipc/core';

import type { ScriptedAdapter } from './adapter.js';
import type { Suite } from './case.js';
import { lifetimes } from './named-object-lifetime.js';
import { naming } from './named-object-names.js';

/** What a kind of named object may lack. */
export type NamedObjectTrait =
  /** Its names are POSIX names: a slash, and no other. */
  | 'posixNames'
  /** It has permission bits (`mode`). */
  | 'modes'
  /** What one handle stores, another sees (`mark`, `marked`). */
  | 'content'
  /** It outlives its handles. */
  | 'persistent'
  /** It goes on for those who have it open, once its name is gone. */
  | 'unlinkedLives'
  /** `{ temporary: true }`. */
  | 'temporary'
  /** A temporary name whose owner was killed is reaped (`reap`). */
  | 'reap';

/** How a named object is opened. */
export interface NamedOptions {
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly temporary?: boolean;
  readonly mode?: number;
}

/** How to make, open, find and destroy objects with names; the script has the actor `named`. */
export interface NamedObjectAdapter<
  H extends Closable = Closable,
> extends ScriptedAdapter<NamedObjectTrait> {
  /** A name that nobody uses. */
  freshName(): string;
  open(name: string, options?: NamedOptions): H;
  unlink(name: string): void;
  /** The names that exist, perhaps among others. */
  list(): readonly string[];
  /** The permission bits of what has this name. */
  mode?(name: string): number;
  /** Stores a small number in the object. */
  mark?(handle: H, value: number): void;
  /** The number that was stored. */
  marked?(handle: H): number;
  /** Removes the temporary names of dead owners. */
  reap?(): void;
  /** The longest name in bytes, slash included. @default 255 */
  readonly maxNameLength?: number;
}

/** All cases of named objects. */
export const namedObjectSuite: Suite<NamedObjectAdapter> = {
  trait: 'named object',
  cases: [...naming, ...lifetimes],
};
