import { IpcError } from '@octoipc/core/kit';
import type { BLOCKED, OwnedResource } from '@octoipc/core/kit';

import { WordGuard, type Guard } from './guard.js';
import { HOLDER, POISONED, SLOT_TICKET, WORD } from './lock-layout.js';
import type { OpenedLock } from './lock-open.js';
import { EVERYBODY, OwnedWord, poisoned, type Taken } from './owned-word.js';
import { ReadGuard, type Reading } from './read-guard.js';
import { Readers, type Obstacle } from './readers.js';
import { WordSource } from './word-source.js';

/** One who wants to write: from the word on, nobody else begins to read. */
export interface Writer {
  /** One try. */
  attempt(): Guard | typeof BLOCKED;
  /** Who gives up writing lets those go on whom he has stopped; the same error. */
  undo(error: unknown): unknown;
}

/**
 * Who may read and who may write, of one handle of a lock.
 *
 * Lifetime: the handle's; at its end what is held is left as if its owner had died.
 */
export class RwTurns implements OwnedResource {
  readonly word: OwnedWord;
  readonly readers: Readers;
  readonly source: WordSource;
  readonly #name: string;
  #closed = false;

  constructor(opened: OpenedLock) {
    this.word = new OwnedWord(opened);
    this.readers = new Readers(this.word);
    this.source = new WordSource(opened.region);
    this.#name = opened.target;
  }

  release(): void {
    this.#closed = true;
    this.readers.release();
    this.word.release();
  }

  /**
   * @param handle - whose guard this is
   * @param blocking - the thread would wait, which it must not for itself
   */
  read(handle: object, waiting: boolean, blocking = false): Guard | typeof BLOCKED {
    if (Atomics.load(this.word.words, WORD) === POISONED) throw poisoned(this.#name);
    const obstacle = this.readers.enter(waiting, this.#name);
    if (obstacle !== undefined) return this.#blocked(obstacle, blocking);
    if (Atomics.load(this.word.words, WORD) === POISONED) {
      this.readers.leave();
      throw poisoned(this.#name);
    }
    return new ReadGuard(handle, this.#reading, this.#name, this.readers.dead);
  }

  /**
   * As one attempt of {@link writer} that does not wait.
   *
   * @param handle - whose guard this is
   * @returns the guard, unless somebody reads or writes
   */
  tryWrite(handle: object): Guard | null {
    const { word } = this;
    const taken = word.take(false, false, this.#name);
    if (typeof taken === 'number') return null;
    try {
      if (this.readers.obstacle(false) === undefined) {
        word.enter();
        return new WordGuard(handle, word, this.#name, taken.dead, undefined, EVERYBODY);
      }
    } catch (error) {
      word.back(taken);
      throw error;
    }
    word.back(taken);
    return null;
  }

  /** @param handle, blocking - as of `read` */
  writer(handle: object, waiting: boolean, blocking = false): Writer {
    const { word } = this;
    let taken: Exclude<Taken, number> | undefined;
    let again = false;
    const undo = (error: unknown): unknown => {
      if (taken !== undefined) word.back(taken);
      taken = undefined;
      return error;
    };
    const attempt = (): Guard | typeof BLOCKED => {
      if (taken === undefined) {
        const now = word.take(waiting, again, this.#name);
        if (typeof now === 'number') {
          again = true;
          return this.#blocked({ at: WORD, value: now }, blocking);
        }
        taken = now;
      }
      const obstacle = this.readers.obstacle(waiting);
      if (obstacle !== undefined) return this.#blocked(obstacle, blocking);
      const { dead } = taken;
      taken = undefined;
      word.enter();
      return new WordGuard(handle, word, this.#name, dead, undefined, EVERYBODY);
    };
    return {
      attempt: () => {
        try {
          return attempt();
        } catch (error) {
          throw undo(error);
        }
      },
      undo,
    };
  }

  readonly #reading: Reading = {
    isClosed: () => this.#closed,
    stopReading: () => this.readers.leave(),
  };

  /** Who writes, or wants to, waits for all who read: for this thread too, if it does. */
  #blocked({ at, value }: Obstacle, blocking: boolean): typeof BLOCKED {
    const holder = at === WORD ? HOLDER : at + SLOT_TICKET;
    if (blocking && (this.word.isMine(value, holder) || this.readers.mine)) {
      throw new IpcError('EDEADLK', {
        syscall: 'lock',
        target: this.#name,
        hint: 'this thread has it, and would wait for itself: await the lock instead',
      });
    }
    return this.source.blocked(4 * at, value);
  }
}
