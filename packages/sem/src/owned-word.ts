import { IpcError } from '@octoipc/core/kit';
import type { OwnedResource } from '@octoipc/core/kit';

import { Keeper, type Place } from './keeper.js';
import {
  DEAD,
  HOLDER,
  isHeld,
  OWNER,
  OWNER_DIED,
  POISONED,
  STATE,
  TID,
  WAITERS,
  WORD,
} from './lock-layout.js';
import type { OpenedLock } from './lock-open.js';
import type { Region } from './region.js';

/** As many as sleep. */
export const EVERYBODY = 0x7fff_ffff;
const ME = process.pid;

/** Who held a lock when it died. */
export interface DeadOwner {
  readonly pid: number;
}

/** Who holds a lock. */
export interface LockOwner {
  readonly pid: number;
  /** False from its death until somebody takes the lock over. */
  readonly alive: boolean;
}

/** How an attempt to take the word ended. */
export type Taken =
  | { readonly dead: DeadOwner | null }
  /** What the word holds, for who sleeps on it. */
  | number;

/** It was free, and clean. */
export const CLEAN: Taken = { dead: null };

/**
 * The word of a lock that is held by one, and survives its owner.
 *
 * The word's transitions are atomic, and are all that decides; the other words are the owner's, who stores its
 * process id once it has the lock, and takes it back before it lets go. So a process id that is there when
 * the owner died tells that it died inside, and who it was.
 *
 * Lifetime: known to the keeper from construction to `release`, which the handle sees to, and to the kernel
 * while it is held. What is held at `release` is left as if its owner had died.
 */
export class OwnedWord implements OwnedResource {
  readonly region: Region;
  readonly words: Int32Array;
  readonly tid: number;
  readonly token: number;
  readonly #opened: OpenedLock;
  readonly #keeper: Keeper;
  readonly #place: Place;
  /** Whether this very handle has it. */
  held = false;

  constructor(opened: OpenedLock) {
    this.#opened = opened;
    this.region = opened.region;
    this.words = opened.region.words;
    try {
      this.#keeper = Keeper.get();
      this.#place = this.#keeper.add(this.region, WORD);
    } catch (error) {
      opened.region.close();
      opened.temporary?.end();
      throw error;
    }
    this.tid = this.#keeper.tid;
    this.token = this.#keeper.token;
  }

  /** Takes a word that is free and clean: the usual case. It is not inside yet. */
  takeFree(): boolean {
    return this.words[WORD] === 0 && this.#tryTake(0, this.tid);
  }

  /**
   * Takes the word if nobody alive holds it.
   *
   * @param waiting - it will be waited for: the word says so
   * @param others - others may sleep, who are to be woken by whoever unlocks
   * @throws {IpcError} ENOTRECOVERABLE when it is beyond repair
   */
  take(waiting: boolean, others: boolean, target: string): Taken {
    const { words, tid } = this;
    for (;;) {
      const seen = Atomics.load(words, WORD);
      if (seen === POISONED) throw poisoned(target);
      if (isHeld(seen)) {
        if (!waiting || (seen & WAITERS) !== 0) return seen;
        const marked = seen | WAITERS;
        if (Atomics.compareExchange(words, WORD, seen, marked) === seen) return marked;
        continue;
      }
      const mine = tid | (seen & WAITERS) | (others ? WAITERS : 0);
      if (!this.#tryTake(seen, mine)) continue;
      return (seen & OWNER_DIED) === 0 ? CLEAN : this.#recover();
    }
  }

  /** The word is taken: from now on its death would be told. */
  enter(): void {
    this.words[OWNER] = ME;
    this.held = true;
  }

  /** Whether this thread holds the word, by whatever handle. */
  get mine(): boolean {
    return this.isMine(Atomics.load(this.words, WORD), HOLDER);
  }

  /**
   * Whether a word is this thread's.
   *
   * @param value - what it holds
   * @param at - where its holder's token is
   */
  isMine(value: number, at: number): boolean {
    return (value & TID) === this.tid && this.words[at] === this.token;
  }

  /**
   * Lets the word go, and wakes so many of those who sleep.
   *
   * @returns false if this thread has lost it to somebody, who keeps it
   */
  leave(count = 1): boolean {
    const { words, tid } = this;
    this.held = false;
    if (!this.#isStillMine()) return false;
    words[OWNER] = 0;
    words[HOLDER] = 0;
    if (Atomics.compareExchange(words, WORD, tid, 0) !== tid) return this.#store(0, count);
    this.#keeper.drop(this.#place);
    return true;
  }

  /** Lets a word go that was taken and not entered: what a dead owner left is still as it was. */
  back(taken: Taken): void {
    if (taken === CLEAN) {
      this.leave(EVERYBODY);
      return;
    }
    this.words[HOLDER] = 0;
    this.#store(OWNER_DIED, EVERYBODY);
  }

  /** What was broken is whole again. */
  repaired(): void {
    this.words[STATE] = 0;
    this.words[DEAD] = 0;
  }

  /** Lets the word go for ever, until a reset; as `leave`. */
  poison(): boolean {
    const { words } = this;
    this.held = false;
    if (!this.#isStillMine()) return false;
    // Whoever is killed from here on leaves what is told to be broken, and not what passes for whole.
    if (words[STATE] === 0) {
      words[DEAD] = ME;
      words[STATE] = 1;
    }
    words[OWNER] = 0;
    words[HOLDER] = 0;
    return this.#store(POISONED, EVERYBODY);
  }

  /** Makes a word usable again that is beyond repair; whether it was. */
  reset(): boolean {
    if (Atomics.load(this.words, WORD) !== POISONED) return false;
    if (!this.#tryTake(POISONED, this.tid)) return false;
    this.repaired();
    this.leave();
    return true;
  }

  get owner(): LockOwner | null {
    return ownerOf(this.words);
  }

  /** How many threads sleep on the word, each of which may stand for many waits. */
  get sleepers(): number {
    const { binding, index } = this.region;
    for (;;) {
      const count = binding.wordWaiters(index, WORD, Atomics.load(this.words, WORD));
      if (count >= 0) return count;
    }
  }

  /** The handle goes. */
  release(): void {
    if (this.held) {
      this.held = false;
      this.words[HOLDER] = 0;
      this.#store(OWNER_DIED, 1);
    }
    this.#keeper.remove(this.#place);
    this.region.close();
    this.#opened.temporary?.end();
  }

  /** In this order: killed in between, whoever comes next finds the same again. */
  #recover(): Taken {
    const { words } = this;
    const pid = words[OWNER]!;
    if (pid !== 0) {
      words[DEAD] = pid;
      words[STATE] = 1;
    }
    // It died before it was inside, or after: there is nothing to repair, unless somebody else left that.
    return words[STATE] === 0 ? CLEAN : { dead: { pid: words[DEAD]! } };
  }

  /** Whose word was overwritten has lost it, and leaves all of it to whoever is there. */
  #isStillMine(): boolean {
    if ((this.words[WORD]! & TID) === this.tid) return true;
    this.#keeper.drop(this.#place);
    return false;
  }

  /** The kernel knows before that this thread may have the word. */
  #tryTake(seen: number, mine: number): boolean {
    const { words } = this;
    this.#keeper.hold(this.#place);
    if (Atomics.compareExchange(words, WORD, seen, mine) === seen) {
      words[HOLDER] = this.token;
      return true;
    }
    this.#keeper.drop(this.#place);
    return false;
  }

  #store(value: number, count: number): boolean {
    return this.#keeper.release(this.#place, value, count);
  }
}

/** Who holds the lock with these words. */
export function ownerOf(words: Int32Array): LockOwner | null {
  const seen = Atomics.load(words, WORD);
  const pid = words[OWNER]!;
  if (pid === 0 || seen === POISONED) return null;
  if (isHeld(seen)) return { pid, alive: true };
  return (seen & OWNER_DIED) === 0 ? null : { pid, alive: false };
}

/** Nobody gets the lock any more. */
export function poisoned(target: string): IpcError {
  return new IpcError('ENOTRECOVERABLE', {
    syscall: 'lock',
    target,
    hint: 'what it protects was left inconsistent: repair that, then reset the lock',
  });
}
