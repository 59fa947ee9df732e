import type { WaitOptions } from '@octoipc/core';
import { integer, typeError, waitOptions, type BLOCKED } from '@octoipc/core/kit';

import { WordGuard, type Guard, type Relock } from './guard.js';
import { FIRST, SLOT_STATE, SLOT_TICKET, slotAt, WITH_SLOTS } from './lock-layout.js';
import {
  listLocks,
  lockAt,
  openLock,
  unlinkLock,
  type LockAtOptions,
  type LockFile,
  type OpenedLock,
} from './lock-open.js';
import type { LockMemory, Region } from './region.js';
import type { NamedOpenOptions } from './shm-file.js';
import { Slots } from './slots.js';
import { WordHandle } from './word-handle.js';
import { WordSource } from './word-source.js';

/** States of a slot. */
const WAITING = 1;
const NOTIFIED = 2;

const MOST = 0x7fff_ffff;

/** One who waits to be notified. */
interface Waiter {
  readonly slot: number;
  /** He was notified just as he gave up. */
  notified: boolean;
}

/**
 * A condition between processes: who holds a mutex waits until somebody else has changed something, and lets
 * the mutex go meanwhile.
 *
 * Lifetime: a named one outlives all processes until somebody unlinks it, the machine restarts, or, if it
 * was created `temporary`, this handle closes. Those who have waited longest are notified first, of those who live. A
 * notification that died with who had it goes to another when the next one comes to wait.
 *
 * @example
 * ```js
 * import { Condition, Mutex } from '@octoipc/sem';
 *
 * const mutex = Mutex.open('/octoipc-desk', { temporary: true });
 * const changed = Condition.open('/octoipc-desk', { temporary: true });
 * const guard = await mutex.lock();
 * const waiting = changed.wait(guard); // the mutex is free now
 * changed.notify(); //=> 1
 * await waiting;
 * guard.held; //=> true
 * guard.unlock();
 * changed.close();
 * mutex.close();
 * ```
 */
export class Condition extends WordHandle {
  /** Bytes that one takes in memory. */
  static readonly byteLength: number = WITH_SLOTS;

  readonly #region: Region;
  readonly #slots: Slots;
  readonly #source: WordSource;
  readonly #name: string;

  private constructor({ region, target, temporary }: OpenedLock) {
    const release = (): void => {
      region.close();
      temporary?.end();
    };
    let slots: Slots;
    try {
      slots = new Slots(region);
    } catch (error) {
      release();
      throw error;
    }
    const source = new WordSource(region);
    super({ release }, source, target);
    this.#region = region;
    this.#slots = slots;
    this.#source = source;
    this.#name = target;
  }

  /**
   * Opens a named condition, or creates it.
   *
   * @param name - a slash, and up to 254 bytes without one
   * @param options - what to create
   * @returns the condition
   * @throws {IpcError} as `Mutex.open` does
   */
  static open(name: string, options?: NamedOpenOptions): Condition {
    return new Condition(openLock('condition', name, options));
  }

  /**
   * A condition within memory, of `Condition.byteLength` bytes.
   *
   * @param memory - a SharedMemory, or a SharedArrayBuffer; the condition outlives its `close()`
   * @param byteOffset - a multiple of 8
   * @param options - `init` for the one who makes it
   * @returns the condition
   * @throws {IpcError} as `Mutex.at` does
   */
  static at(memory: LockMemory, byteOffset: number, options?: LockAtOptions): Condition {
    return new Condition(lockAt('condition', memory, byteOffset, options));
  }

  /** Removes the name; those who have it open go on. */
  static unlink(name: string): void {
    unlinkLock('condition', name);
  }

  /** The named conditions of this system. */
  static list(): LockFile[] {
    return listLocks('condition', () => ({}), {});
  }

  /** How many wait now. */
  get waiters(): number {
    this.check('waiters');
    return this.#waiting().length;
  }

  /**
   * Lets the mutex go, waits until notified, and takes the mutex again. However the wait ends, the guard
   * holds the mutex again; so a wait that is aborted or late rejects once that is so.
   *
   * @param guard - of a mutex, held
   * @param options - how long to wait for the notification
   * @returns the guard
   * @throws {IpcError} EPERM when the guard does not hold its mutex; ETIMEDOUT when the timeout is over
   * @throws {IpcError} ENOTRECOVERABLE when the mutex was poisoned meanwhile; then it is not held
   * @throws {IpcError} EAGAIN when 1,016 wait already
   */
  async wait(guard: Guard, options?: WaitOptions): Promise<Guard> {
    const wait = waitOptions(options);
    const { mutex, held } = this.#heldGuard(guard);
    wait.signal?.throwIfAborted();
    const waiter = this.#enter();
    held.letGo();
    try {
      await this.run(this.#attempt(waiter), wait, 'wait', this.#undo(waiter));
    } catch (error) {
      await mutex.retake(held);
      if (!waiter.notified) throw error;
      return guard;
    }
    await mutex.retake(held);
    return guard;
  }

  /**
   * The same; blocks this thread.
   *
   * @throws {IpcError} EBUSY when waits of this handle, or of the mutex's, are pending; the mutex stays held
   */
  waitSync(guard: Guard, options?: Omit<WaitOptions, 'signal'>): Guard {
    const { timeout } = waitOptions(options);
    const { mutex, held } = this.#heldGuard(guard);
    this.refuseBlocking('wait');
    mutex.refuseSync();
    const waiter = this.#enter();
    held.letGo();
    try {
      this.runSync(this.#attempt(waiter), timeout, 'wait');
    } catch (error) {
      this.#undo(waiter)(error);
      mutex.retakeSync(held);
      if (!waiter.notified) throw error;
      return guard;
    }
    mutex.retakeSync(held);
    return guard;
  }

  /**
   * Notifies those who have waited longest.
   *
   * @param n - how many
   * @returns how many were there
   */
  notify(n = 1): number {
    integer(n, 'n', 1, MOST);
    this.check('notify');
    // Nearly always one is told or nobody waits, which takes no list.
    let longest = this.#longest();
    if (n > 1 && longest >= 0) {
      let notified = 0;
      for (const slot of this.#waiting()) {
        if (notified < n && this.#tell(slot)) notified += 1;
      }
      return notified;
    }
    while (longest >= 0 && !this.#tell(longest)) longest = this.#longest();
    return longest < 0 ? 0 : 1;
  }

  /** Notifies all who wait; how many. */
  notifyAll(): number {
    return this.notify(MOST);
  }

  protected override describe(): { syscall: string; target: string } {
    return this.details('wait');
  }

  #heldGuard(guard: unknown): { mutex: Relock; held: WordGuard } {
    if (!(guard instanceof WordGuard) || guard.relock === undefined) {
      throw typeError('guard', 'the guard of a Mutex', guard);
    }
    this.check('wait');
    guard.checkHeld('wait');
    return { mutex: guard.relock, held: guard };
  }

  /** Is among those who wait, before the mutex is let go: no notification is missed. */
  #enter(): Waiter {
    const slot = this.#slots.claim(this.#name);
    // A dead one may have had a notification, or get one until this very moment: it is for somebody else.
    if (this.#slots.left === NOTIFIED) this.notify();
    this.#slots.set(slot, SLOT_TICKET, Atomics.add(this.#slots.words, FIRST, 1));
    this.#slots.set(slot, SLOT_STATE, WAITING);
    return { slot, notified: false };
  }

  #attempt({ slot }: Waiter): () => void | typeof BLOCKED {
    return () => {
      if (this.#slots.get(slot, SLOT_STATE) === WAITING) {
        return this.#source.blocked(4 * (slotAt(slot) + SLOT_STATE), WAITING);
      }
      this.#slots.end(slot);
    };
  }

  /** Gives up waiting, unless it was notified. */
  #undo(waiter: Waiter): (error: unknown) => unknown {
    return (error) => {
      const at = slotAt(waiter.slot) + SLOT_STATE;
      waiter.notified = Atomics.compareExchange(this.#slots.words, at, WAITING, 0) === NOTIFIED;
      this.#slots.end(waiter.slot);
      return error;
    };
  }

  /** Whether who waits in a slot waited still, and is notified. */
  #tell(slot: number): boolean {
    const at = slotAt(slot) + SLOT_STATE;
    if (Atomics.compareExchange(this.#slots.words, at, WAITING, NOTIFIED) !== WAITING) return false;
    this.#region.binding.wordWake(this.#region.index, 4 * at, 1);
    return true;
  }

  /** The slot of who has waited longest; -1 where nobody waits. */
  #longest(): number {
    const slots = this.#slots;
    const { used } = slots;
    let longest = -1;
    let first = 0;
    for (let slot = 0; slot < used; slot++) {
      if (!slots.isHeld(slot) || slots.get(slot, SLOT_STATE) !== WAITING) continue;
      const ticket = slots.get(slot, SLOT_TICKET);
      // Tickets may have wrapped around.
      if (longest >= 0 && ((ticket - first) | 0) >= 0) continue;
      longest = slot;
      first = ticket;
    }
    return longest;
  }

  /** The slots of those who wait, in the order in which they came. */
  #waiting(): number[] {
    const slots = [...this.#slots.held()].filter(
      (slot) => this.#slots.get(slot, SLOT_STATE) === WAITING,
    );
    const ticket = (slot: number): number => this.#slots.get(slot, SLOT_TICKET);
    // Tickets may have wrapped around.
    return slots.toSorted((a, b) => (ticket(a) - ticket(b)) | 0);
  }
}
