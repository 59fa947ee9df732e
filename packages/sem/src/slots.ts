import { IpcError } from '@octoipc/core/kit';

import { Keeper, type Place } from './keeper.js';
import {
  isHeld,
  OWNER_DIED,
  SLOT_OWNER,
  SLOT_STATE,
  SLOT_TICKET,
  slotAt,
  SLOTS,
  USED,
} from './lock-layout.js';
import type { Region } from './region.js';

/**
 * The slots of a lock: whoever reads, or waits, holds the word of one, so that its death shows.
 *
 * Lifetime: a slot is known to the keeper before it is claimed, until it is left for good, and to the kernel
 * while it is held.
 */
export class Slots {
  /** The state in which the slot was left that was claimed last, if who had it died; else 0. */
  left = 0;
  readonly words: Int32Array;
  readonly #region: Region;
  readonly #keeper: Keeper;
  readonly #places = new Map<number, Place>();

  constructor(region: Region) {
    this.#region = region;
    this.words = region.words;
    this.#keeper = Keeper.get();
  }

  /**
   * Claims a slot that nobody alive holds.
   *
   * @param preferred - the one to begin with
   * @returns its number
   * @throws {IpcError} EAGAIN when all are held
   */
  claim(target: string, preferred = 0): number {
    for (let i = 0; i < SLOTS; i++) {
      const slot = (preferred + i) % SLOTS;
      const seen = Atomics.load(this.words, slotAt(slot));
      if (!isHeld(seen) && this.#tryClaim(slot, seen)) return slot;
    }
    throw new IpcError('EAGAIN', {
      syscall: 'lock',
      target,
      hint: `all ${SLOTS} slots are held: as many read, or wait, already`,
    });
  }

  /** Lets a slot's word go, and wakes who waits for that. */
  leave(slot: number): void {
    const at = slotAt(slot);
    Atomics.store(this.words, at + SLOT_STATE, 0);
    this.words[at + SLOT_TICKET] = 0;
    const { tid } = this.#keeper;
    const place = this.#places.get(slot)!;
    if (Atomics.compareExchange(this.words, at, tid, 0) === tid) this.#keeper.drop(place);
    else this.#keeper.release(place, 0, 1);
  }

  /** The slot will not be claimed again soon. */
  forget(slot: number): void {
    const place = this.#places.get(slot);
    if (place === undefined) return;
    this.#places.delete(slot);
    this.#keeper.remove(place);
  }

  /** Lets a slot go for good. */
  end(slot: number): void {
    this.leave(slot);
    this.forget(slot);
  }

  /** From which slot on none was ever claimed. */
  get used(): number {
    // Whoever has access to the lock may have stored anything there.
    return Math.min(Atomics.load(this.words, USED), SLOTS);
  }

  /** Whether somebody alive holds a slot. */
  isHeld(slot: number): boolean {
    return isHeld(Atomics.load(this.words, slotAt(slot)));
  }

  /** The slots that somebody alive holds. */
  *held(): Generator<number> {
    const { used } = this;
    for (let slot = 0; slot < used; slot++) if (this.isHeld(slot)) yield slot;
  }

  /** A word of a slot: its state, its ticket or its owner. */
  get(slot: number, field: number): number {
    return Atomics.load(this.words, slotAt(slot) + field);
  }

  set(slot: number, field: number, value: number): void {
    Atomics.store(this.words, slotAt(slot) + field, value);
  }

  #tryClaim(slot: number, seen: number): boolean {
    const at = slotAt(slot);
    let place = this.#places.get(slot);
    if (place === undefined) {
      place = this.#keeper.add(this.#region, 4 * at);
      this.#places.set(slot, place);
    }
    this.#keeper.hold(place);
    if (Atomics.compareExchange(this.words, at, seen, this.#keeper.tid) !== seen) {
      this.#keeper.drop(place);
      this.forget(slot);
      return false;
    }
    const state = Atomics.exchange(this.words, at + SLOT_STATE, 0);
    this.left = (seen & OWNER_DIED) === 0 ? 0 : state;
    this.set(slot, SLOT_TICKET, 0);
    this.set(slot, SLOT_OWNER, process.pid);
    for (;;) {
      const used = Atomics.load(this.words, USED);
      if (used > slot) return true;
      Atomics.compareExchange(this.words, USED, used, slot + 1);
    }
  }
}
