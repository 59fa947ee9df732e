import type { IpcErrorDetails } from '@octoipc/core';
import { check, IpcError } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { ESRCH } from './errno.js';
import type { Memory } from './memory.js';
import { DATA, pidNamespace, SEAT } from './shared-header.js';

const PID = 0x3f_ffffn;
const FOREIGN = 1n << 54n;
const DEATHS = 0xffn << 56n;
const LOW = 0xffff_ffffn;

/** The bit of who has another pid namespace than the memory. */
function foreignBit(namespace: bigint): bigint {
  return pidNamespace() === namespace ? 0n : FOREIGN;
}

/**
 * Whether the process in a seat is dead, by its pid and start time. Of a foreign one nothing is known; and who is
 * foreign knows of nobody: a pid means another process to it, or none.
 */
function isDead(identity: bigint, foreign: bigint): boolean {
  const pid = identity & PID;
  if (pid === 0n || ((identity | foreign) & FOREIGN) !== 0n) return false;
  const start = binding().processStart(Number(pid));
  return start === ESRCH || (start >= 0 && BigInt(start) !== ((identity >> 22n) & LOW));
}

const deathsOf = (identity: bigint): bigint => identity >> 56n;

const oneMore = (identity: bigint): bigint => ((deathsOf(identity) + 1n) & 0xffn) << 56n;

/** The seats of a ring, index 0 the consumer's, or that of a broadcast's producer: docs/layout.md. */
export class Seats {
  readonly #words: Int32Array;
  readonly #identities: BigUint64Array;
  readonly #foreign: bigint;

  /** @param namespace - of the pids in it */
  constructor(memory: Memory, namespace: bigint) {
    this.#foreign = foreignBit(namespace);
    this.#words = memory.view(Int32Array, 0, DATA / 4);
    this.#identities = memory.view(BigUint64Array, 0, DATA / 8);
  }

  /** The word of a seat, `SEAT.wants` or `SEAT.generation`. */
  word(index: number, which: number): number {
    return (SEAT.offset + SEAT.size * index) / 4 + which;
  }

  identity(index: number): bigint {
    return Atomics.load(this.#identities, (SEAT.offset + SEAT.size * index) / 8);
  }

  /** The identity that was there. */
  exchange(index: number, old: bigint, identity: bigint): boolean {
    const at = (SEAT.offset + SEAT.size * index) / 8;
    return Atomics.compareExchange(this.#identities, at, old, identity) === old;
  }

  /** How many died in a seat, modulo 256. Who is dead there now is buried first. */
  deaths(index: number): bigint {
    const identity = this.identity(index);
    if (!this.isDead(identity)) return deathsOf(identity);
    this.exchange(index, identity, oneMore(identity));
    return deathsOf(this.identity(index));
  }

  /** Whether what holds the lock can never give it back. */
  isAbandoned(lock: number): boolean {
    const index = lock & 0xff;
    const identity = this.identity(index);
    const generation = Atomics.load(this.#words, this.word(index, SEAT.generation));
    const same = (generation & 0xff_ffff) === lock >>> 8;
    return !same || (identity & PID) === 0n || this.isDead(identity);
  }

  /** Whether it is certain that the process of an identity is dead. */
  isDead(identity: bigint): boolean {
    return isDead(identity, this.#foreign);
  }
}

let ownStart: bigint | undefined;

/** What identifies this process, as a seat has it. */
export function ownIdentity(namespace: bigint, details: IpcErrorDetails): bigint {
  ownStart ??= BigInt(check(binding().processStart(process.pid), 'open', details));
  return BigInt(process.pid) | (ownStart << 22n) | foreignBit(namespace);
}

/** Where this thread sits. */
export interface TakenSeat {
  readonly index: number;
  /** What it puts into the lock when it is its turn. */
  readonly turn: number;
  leave(): void;
}

/**
 * Takes the first seat that is free, or whose owner is dead.
 *
 * @throws {IpcError} EBUSY when there is none
 */
export function takeSeat(
  memory: Memory,
  namespace: bigint,
  [first, last]: readonly [number, number],
  details: IpcErrorDetails,
): TakenSeat {
  const native = binding();
  const seats = new Seats(memory, namespace);
  const own = ownIdentity(namespace, details);
  for (let index = first; index <= last; index++) {
    let mine = take(seats, index, own);
    if (mine === undefined) continue;
    const offset = SEAT.offset + SEAT.size * index;
    const kept = native.ringSit(memory.mapping.index, offset);
    if (kept < 0) seats.exchange(index, mine, mine & DEATHS);
    check(kept, 'mmap', details);
    const words = memory.view(Int32Array, 0, DATA / 4);
    const generation = Atomics.add(words, seats.word(index, SEAT.generation), 1) + 1;
    const leave = (): void => {
      if (mine === undefined) return;
      mine = undefined;
      native.ringLeave(kept);
    };
    return { index, turn: index | (generation << 8), leave };
  }
  throw new IpcError('EBUSY', {
    ...details,
    hint:
      first === last
        ? `somebody has this place, and is alive: pid ${seats.identity(first) & PID}`
        : `${last} producers are there already`,
  });
}

function take(seats: Seats, index: number, own: bigint): bigint | undefined {
  for (;;) {
    const old = seats.identity(index);
    const taken = (old & PID) !== 0n;
    if (taken && !seats.isDead(old)) return undefined;
    const mine = own | (taken ? oneMore(old) : old & DEATHS);
    if (seats.exchange(index, old, mine)) return mine;
  }
}
