import { callback, closedError, IpcError } from '@octoipc/core/kit';

import type { DeadOwner, OwnedWord } from './owned-word.js';

/** A lock that is held: let go by `unlock`, or at the end of a `using` block. */
export interface Guard extends Disposable {
  /**
   * Who died holding the lock, if its last owner did: what it protects may be half-changed. Repair it and
   * say so by `markConsistent()`.
   */
  readonly recovered: DeadOwner | null;
  /** Whether the lock is held by this guard. */
  readonly held: boolean;
  /** What the last owner left is repaired. */
  markConsistent(): void;
  /** Lets the lock go for ever: whoever tries to lock it is told `ENOTRECOVERABLE`, until it is reset. */
  poison(): void;
  /**
   * Lets the lock go. If it was recovered and not marked consistent, for ever.
   *
   * @throws {IpcError} EPERM when it was let go already, or somebody has overwritten the lock's word;
   *   ERR_CLOSED when the lock's handle is closed
   */
  unlock(): void;
}

/** @internal How a guard's lock is taken again, after a wait for a condition. */
export interface Relock {
  /** @throws {IpcError} EBUSY when `retakeSync` could not be */
  refuseSync(): void;
  retake(guard: WordGuard): Promise<void>;
  retakeSync(guard: WordGuard): void;
}

/** @internal The guard of a lock that one at a time can hold. */
export class WordGuard implements Guard {
  readonly word: OwnedWord;
  readonly target: string;
  /** The lock's handle: it must not be collected while the lock is held. */
  readonly handle: object;
  /** undefined where the lock goes with no condition. */
  readonly relock: Relock | undefined;
  readonly #wakes: number;
  #recovered: DeadOwner | null;
  #consistent = false;
  #held = true;

  /** @param wakes - how many who sleep may go on at once when it is let go */
  constructor(
    handle: object,
    word: OwnedWord,
    target: string,
    recovered: DeadOwner | null,
    relock: Relock | undefined,
    wakes = 1,
  ) {
    this.handle = handle;
    this.word = word;
    this.target = target;
    this.relock = relock;
    this.#recovered = recovered;
    this.#wakes = wakes;
  }

  get recovered(): DeadOwner | null {
    return this.#recovered;
  }

  get held(): boolean {
    return this.#held && this.word.held;
  }

  markConsistent(): void {
    this.checkHeld('markConsistent');
    this.#consistent = true;
    if (this.#recovered !== null) this.word.repaired();
  }

  poison(): void {
    this.checkHeld('poison');
    this.#held = false;
    this.word.poison();
  }

  unlock(): void {
    this.checkHeld('unlock');
    if (!this.letGo()) {
      const hint = 'somebody else has its word, who has overwritten it: it is left to him';
      throw new IpcError('EPERM', { syscall: 'unlock', target: this.target, hint });
    }
  }

  [Symbol.dispose](): void {
    if (this.held) this.letGo();
  }

  /** @internal Whether it was still this thread's. */
  letGo(): boolean {
    this.#held = false;
    const whole = this.#recovered === null || this.#consistent;
    return whole ? this.word.leave(this.#wakes) : this.word.poison();
  }

  /** @internal It is held again. */
  heldAgain(recovered: DeadOwner | null): void {
    this.#held = true;
    this.#recovered = recovered;
    this.#consistent = false;
  }

  /** @internal */
  checkHeld(call: string): void {
    if (this.#held && this.word.held) return;
    const details = { syscall: call, target: this.target };
    if (this.#held) throw closedError(details);
    throw new IpcError('EPERM', { ...details, hint: 'it was let go already' });
  }
}

/** @internal Holds a lock while a function runs, and lets it go however that ends. */
export async function holding<T>(
  take: () => Promise<Guard>,
  run: (guard: Guard) => T | Promise<T>,
): Promise<T> {
  callback(run, 'run');
  const guard = await take();
  try {
    return await run(guard);
  } finally {
    guard[Symbol.dispose]();
  }
}
