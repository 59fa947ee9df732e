import { randomInt } from 'node:crypto';

import { check, errorOf } from '@octoipc/core/kit';

import { binding, type Holder, type SemBinding } from './binding.js';
import { ENOSYS } from './errno.js';
import type { Region } from './region.js';

const FULL = 'this thread has 2,000 locks open, as many as the kernel looks after: close some';
const UNTOLD =
  'without this call the death of an owner would go unnoticed: a sandbox that lacks it has no locks';
const MOST_TOKEN = 0x7fff_ffff;

/** A word that this thread may hold. */
export interface Place {
  readonly region: Region;
  /** In bytes. */
  readonly offset: number;
  /** The pointer that announces it to the kernel; undefined: none does. */
  readonly node: bigint | undefined;
}

/**
 * The thread that owns this JavaScript thread's locks towards the kernel.
 *
 * The kernel knows a word from before it is taken until after it is let go: one as announced, which is a store
 * of this class, the others on its list.
 *
 * Lifetime: one for each JavaScript thread, begun at the first lock, and ended with it; then the kernel
 * tells all who wait for a lock that it held.
 */
export class Keeper {
  static #keeper: Keeper | undefined;

  static get(): Keeper {
    Keeper.#keeper ??= new Keeper();
    return Keeper.#keeper;
  }

  /** What words hold that are locked by this thread. */
  readonly tid: number;
  /** What tells this thread from one of another pid namespace that has the same id. */
  readonly token: number = randomInt(1, MOST_TOKEN);
  readonly #binding: SemBinding;
  readonly #index: number;
  /** `list_op_pending`: a pointer, stored at once. */
  readonly #pending: BigUint64Array;
  /** What is there. */
  #announced: Place | undefined;

  private constructor() {
    this.#binding = binding();
    const tid = new Int32Array(1);
    const holder: Holder = {};
    const index = this.#binding.keeperOpen(tid, holder);
    if (index === ENOSYS) throw errorOf(index, 'set_robust_list', { hint: UNTOLD });
    this.#index = check(index, 'pthread_create');
    this.tid = tid[0]!;
    this.#pending = new BigUint64Array(holder.buffer!);
  }

  /** A word that is held now and then, until it is removed. */
  add(region: Region, offset: number): Place {
    const pointer = new BigUint64Array(1);
    const bytes = new Uint8Array(pointer.buffer);
    const added = this.#binding.keeperAdd(this.#index, region.index, offset, bytes);
    check(added, 'set_robust_list', { hint: FULL });
    const node = pointer[0]!;
    return { region, offset, node: node === 0n ? undefined : node };
  }

  /** It is not held any more. */
  remove(place: Place): void {
    if (this.#announced === place) this.drop(place);
    this.#binding.keeperRemove(this.#index, place.region.index, place.offset);
  }

  /** Before it is tried to take a word: from now on it is marked if this thread dies and has it. */
  hold(place: Place): void {
    if (place.node === undefined) return;
    if (this.#announced !== undefined) this.#binding.keeperList(this.#index);
    this.#announced = place;
    this.#pending[0] = place.node;
  }

  /** After a word was let go, or somebody else was quicker. */
  drop(place: Place): void {
    if (this.#announced === place) {
      this.#announced = undefined;
      this.#pending[0] = 0n;
    } else if (place.node !== undefined) {
      this.#binding.keeperUnlist(this.#index, place.region.index, place.offset);
    }
  }

  /**
   * Stores a value in a word that this thread holds, drops it, and wakes so many, even if this process is
   * killed in between.
   *
   * @returns whether this thread did hold it; if not, the word stays as it is
   */
  release({ region, offset, node }: Place, value: number, count: number): boolean {
    // What else was announced is on the list then.
    if (node !== undefined) this.#announced = undefined;
    return this.#binding.keeperRelease(this.#index, region.index, offset, value, count) === 1;
  }

  /** Sleeps while a word has a value; the keeper sees to it that no wake is lost. */
  sleep(region: Region, offset: number, expected: number): void {
    this.#binding.keeperSleep(this.#index, region.index, offset, expected);
  }
}
