import type { Closable, WaitOptions } from '@octoipc/core';

import type { ScriptedAdapter } from './adapter.js';
import type { Suite } from './case.js';
import { lockCancelling } from './lock-cancel.js';
import { lockProcesses } from './lock-processes.js';
import { lockRules } from './lock-rules.js';

/** What a lock may lack. */
export type LockTrait =
  /** `lockSync`. */
  | 'sync'
  /** `withLock`. */
  | 'withLock'
  /** It outlives the death of its owner: the next one gets it, and is told. */
  | 'recovery';

/** A lock that is held. */
export interface Held {
  /** Lets it go; again does nothing. */
  release(): void;
  /** Not null where the last owner died holding it. */
  readonly recovered?: unknown;
}

/** One handle of a lock. */
export interface Lock extends Pick<Closable, 'close'> {
  lock(options?: WaitOptions): Promise<Held>;
  tryLock(): Held | null;
  lockSync?(options?: Pick<WaitOptions, 'timeout'>): Held;
  withLock?<T>(run: () => T | Promise<T>): Promise<T>;
}

/** How to open locks; the script has the actor `lock`. */
export interface LockAdapter extends ScriptedAdapter<LockTrait> {
  /** A name that nobody uses. */
  freshName(): string;
  /** The lock of this name, created where it is missing; each call gives another handle of it. */
  open(name: string): Lock | Promise<Lock>;
  /** Removes the name. */
  remove(name: string): void;
}

/** All cases of locks. */
export const lockSuite: Suite<LockAdapter> = {
  trait: 'lock',
  cases: [...lockRules, ...lockCancelling, ...lockProcesses],
};
