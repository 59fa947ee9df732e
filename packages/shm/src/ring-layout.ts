import { randomFillSync } from 'node:crypto';

import type { IpcErrorDetails } from '@octoipc/core';
import { rangeError } from '@octoipc/core/kit';

import type { Memory } from './memory.js';
import { DATA, headerOf, notA, readHeader } from './shared-header.js';

/** What docs/layout.md says of rings: words of 32 bits, by their index. */
export const WORD: Readonly<
  Record<'tail' | 'head' | 'consumerSleep' | 'producerSleep' | 'lock', number>
> = {
  tail: 64 / 4,
  head: 128 / 4,
  consumerSleep: 192 / 4,
  producerSleep: 256 / 4,
  lock: 320 / 4,
};

/** What a record is. */
export const KIND = { message: 1, filler: 2 } as const;

/** The bytes `ORNG`. */
export const RING = { what: 'ring', magic: 0x474e_524f } as const;

const SEATS = 32;
const LEAST = 64;
const MOST = 2 ** 30;

/** The constants of a ring, as they were when it was attached to: later they may be anything. */
export interface RingGeometry {
  readonly capacity: number;
  readonly maxMessageSize: number;
  /** Whether there may be several producers. */
  readonly turns: boolean;
  /** Producers' seats. */
  readonly seats: number;
  /** Names bells: hexadecimal digits. */
  readonly id: string;
  /** Of pids: the inode of the namespace. */
  readonly namespace: bigint;
}

/** The bytes that a ring of this capacity takes. */
export function bytesOfRing(capacity: number): number {
  return DATA + capacity;
}

/** The capacity that a ring gets: a power of two, which two of its largest messages fit in. */
export function capacityFor(wanted: number, maxMessageSize: number | undefined): number {
  const room = maxMessageSize === undefined ? 0 : 2 * (maxMessageSize + 8);
  return powerOfTwo(wanted, room, 'two', maxMessageSize);
}

/** A capacity that is not less than wanted, and has room for so many largest messages. */
export function powerOfTwo(
  wanted: number,
  room: number,
  many: string,
  maxMessageSize: number | undefined,
): number {
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(LEAST, wanted, room)));
  if (capacity <= MOST) return capacity;
  throw rangeError(
    'options.capacity',
    `at most ${MOST}, and room for ${many} largest messages`,
    room > wanted ? maxMessageSize : wanted,
  );
}

/** Whether a capacity is one that there can be. */
export function isCapacity(capacity: number): boolean {
  return capacity >= LEAST && capacity <= MOST && (capacity & (capacity - 1)) === 0;
}

/** The longest message of a ring of this capacity. */
export function longestMessage(capacity: number): number {
  return capacity / 2 - 8;
}

/** The header of a new ring, which is zeroes otherwise. */
export function ringHeader(
  { capacity, maxMessageSize, turns }: Omit<RingGeometry, 'seats' | 'id' | 'namespace'>,
  id: Uint8Array = randomFillSync(new Uint8Array(16)),
): Uint8Array {
  const own = [turns ? 1 : 0, capacity, maxMessageSize, DATA, turns ? SEATS : 1] as const;
  return headerOf(RING, own, id);
}

/**
 * The constants of a ring.
 *
 * @throws {IpcError} EBADMSG when it is none, or its constants cannot be
 */
export function readRing(memory: Memory, details: IpcErrorDetails): RingGeometry {
  const { words, id, namespace } = readHeader(memory, RING, details);
  const [flags = 0, capacity = 0, longest = 0, data, seats] = words;
  if (
    !isCapacity(capacity) ||
    memory.byteLength < bytesOfRing(capacity) ||
    longest < 0 ||
    longest > longestMessage(capacity) ||
    data !== DATA ||
    (flags !== 0 && flags !== 1) ||
    seats !== (flags === 1 ? SEATS : 1)
  ) {
    throw notA(RING, details, 'its constants cannot be');
  }
  return {
    capacity,
    maxMessageSize: longest,
    turns: flags === 1,
    seats,
    id,
    namespace,
  };
}
