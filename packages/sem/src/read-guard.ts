import { closedError, IpcError } from '@octoipc/core/kit';

import type { Guard } from './guard.js';
import type { DeadOwner } from './owned-word.js';

/** @internal What a reader's guard lets go. */
export interface Reading {
  isClosed(): boolean;
  stopReading(): void;
}

/** @internal The guard of one who reads: it sees what a dead writer left, and cannot repair it. */
export class ReadGuard implements Guard {
  readonly recovered: DeadOwner | null;
  /** The lock's handle: it must not be collected while the lock is held. */
  readonly handle: object;
  readonly #reading: Reading;
  readonly #target: string;
  #held = true;

  constructor(handle: object, reading: Reading, target: string, recovered: DeadOwner | null) {
    this.handle = handle;
    this.#reading = reading;
    this.#target = target;
    this.recovered = recovered;
  }

  get held(): boolean {
    return this.#held && !this.#reading.isClosed();
  }

  markConsistent(): void {
    throw this.#error('markConsistent', 'who reads repairs nothing: take the lock for writing');
  }

  poison(): void {
    throw this.#error('poison', 'who reads breaks nothing: take the lock for writing');
  }

  unlock(): void {
    if (!this.#held) throw this.#error('unlock', 'it was let go already');
    if (this.#reading.isClosed()) throw closedError({ syscall: 'unlock', target: this.#target });
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (!this.held) return;
    this.#held = false;
    this.#reading.stopReading();
  }

  #error(syscall: string, hint: string): IpcError {
    return new IpcError('EPERM', { syscall, target: this.#target, hint });
  }
}
