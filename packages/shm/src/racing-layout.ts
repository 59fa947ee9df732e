import { randomFillSync } from 'node:crypto';

import type { IpcErrorDetails } from '@octoipc/core';

import type { Memory } from './memory.js';
import { isCapacity, powerOfTwo } from './ring-layout.js';
import { DATA, headerOf, notA, readHeader, type Kind } from './shared-header.js';

/** What docs/layout.md says of broadcasts and values, in bytes. */
export const AT = { begun: 64, newest: 128, readersSleep: 192, wants: 256, seat: 512 } as const;

/** So many readers at most have a bell. */
export const BELLS = 256;

/** The largest value. */
export const LARGEST: number = 2 ** 30 - 64;

/** A broadcast or a value: what differs in their constants. */
export interface RacingKind extends Kind {
  /** All that its data take, by its capacity, or the size of its slots. */
  bytes(size: number): number;
  isPossible(size: number, longest: number): boolean;
}

/** The constants, as they were when it was attached to: later they may be anything. */
export interface RacingGeometry {
  /** The capacity, or the bytes of a slot. */
  readonly size: number;
  /** Bytes of the longest message, or of the largest value. */
  readonly longest: number;
  /** Names bells: hexadecimal digits. */
  readonly id: string;
  /** Of pids: the inode of the namespace. */
  readonly namespace: bigint;
}

/** The bytes `OBCT`. */
export const BROADCAST: RacingKind = {
  what: 'broadcast',
  magic: 0x5443_424f,
  bytes: (capacity) => DATA + capacity,
  isPossible: (capacity, longest) => isCapacity(capacity) && longest <= longestOf(capacity),
};

/** The bytes `OVAL`. */
export const VALUE: RacingKind = {
  what: 'value',
  magic: 0x4c41_564f,
  bytes: (slot) => DATA + 2 * slot,
  isPossible: (slot, largest) => largest <= LARGEST && slot === slotFor(largest),
};

/** The longest message of a broadcast of this capacity. */
export function longestOf(capacity: number): number {
  return capacity / 4 - 16;
}

/** The capacity that a broadcast gets: a power of two, which four of its largest messages fit in. */
export function broadcastCapacity(wanted: number, maxMessageSize: number | undefined): number {
  const room = maxMessageSize === undefined ? 0 : 4 * (maxMessageSize + 16);
  return powerOfTwo(wanted, room, 'four', maxMessageSize);
}

/** The bytes of a slot. */
export function slotFor(maxSize: number): number {
  return Math.ceil((8 + maxSize) / 64) * 64;
}

/** The header of a new one, which is zeroes otherwise. */
export function racingHeader(
  kind: RacingKind,
  { size, longest }: Pick<RacingGeometry, 'size' | 'longest'>,
  id: Uint8Array = randomFillSync(new Uint8Array(16)),
): Uint8Array {
  return headerOf(kind, [0, size, longest, DATA, BELLS], id);
}

/**
 * The constants.
 *
 * @throws {IpcError} EBADMSG when it is none, or its constants cannot be
 */
export function readRacing(
  memory: Memory,
  kind: RacingKind,
  details: IpcErrorDetails,
): RacingGeometry {
  const { words, id, namespace } = readHeader(memory, kind, details);
  const [flags, size = 0, longest = 0, data, bells] = words;
  if (
    flags !== 0 ||
    longest < 0 ||
    !kind.isPossible(size, longest) ||
    memory.byteLength < kind.bytes(size) ||
    data !== DATA ||
    bells !== BELLS
  ) {
    throw notA(kind, details, 'its constants cannot be');
  }
  return { size, longest, id, namespace };
}
