import { randomFillSync } from 'node:crypto';
import { statSync } from 'node:fs';

import { IpcError, type IpcErrorDetails } from '@octoipc/core';
import { rangeError } from '@octoipc/core/kit';

import type { Memory } from './memory.js';

/** What docs/layout.md says of rings: words of 32 bits, by their index. */
export const WORD = {
  magic: 0,
  tail: 64 / 4,
  head: 128 / 4,
  consumerSleep: 192 / 4,
  producerSleep: 256 / 4,
  lock: 320 / 4,
} as const;

/** Where the data begin, in bytes. */
export const DATA = 4096;

/** The consumer's seat; those of producers follow. */
export const SEAT = { offset: 512, size: 64, wants: 8 / 4, generation: 12 / 4 } as const;

/** What a record is. */
export const KIND = { message: 1, filler: 2 } as const;

/** What sleeps: bits of consumerSleep and producerSleep. */
export const SLEEP = { futex: 1, bell: 2 } as const;

/** The bytes `ORNG`. */
export const MAGIC = 0x474e_524f;
const VERSION = 1;
const ORDER = 0x0102_0304;
const SEATS = 32;
const LEAST = 64;
const MOST = 2 ** 30;

/** How long somebody else may take to make a ring, and how often it is looked, in milliseconds. */
const PATIENCE = 500;
const GLANCE = 1;

const clock = new Int32Array(new SharedArrayBuffer(4));

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
  const least = Math.max(LEAST, wanted, room);
  const capacity = 2 ** Math.ceil(Math.log2(least));
  if (capacity <= MOST) return capacity;
  throw rangeError(
    'options.capacity',
    `at most ${MOST}, and room for two largest messages`,
    room > wanted ? maxMessageSize : wanted,
  );
}

/** The longest message of a ring of this capacity. */
export function longestMessage(capacity: number): number {
  return capacity / 2 - 8;
}

/** Makes a ring of zeroed memory. */
export function formatRing(
  memory: Memory,
  { capacity, maxMessageSize, turns }: Omit<RingGeometry, 'seats' | 'id' | 'namespace'>,
): void {
  const words = memory.view(Int32Array, 0, DATA / 4);
  const seats = turns ? SEATS : 1;
  words.set([VERSION, ORDER, turns ? 1 : 0, capacity, maxMessageSize, DATA, seats], 1);
  memory.bytes.set(randomFillSync(new Uint8Array(16)), 32);
  memory.view(BigUint64Array, 48, 1)[0] = pidNamespace();
  Atomics.store(words, WORD.magic, MAGIC);
}

/**
 * The constants of a ring.
 *
 * @throws {IpcError} EBADMSG when it is none, or its constants cannot be
 */
export function readRing(memory: Memory, details: IpcErrorDetails): RingGeometry {
  if (memory.byteLength < DATA) throw noRing(details, 'it is too short');
  const words = memory.view(Int32Array, 0, DATA / 4);
  const until = performance.now() + PATIENCE;
  while (Atomics.load(words, WORD.magic) === 0 && performance.now() < until) {
    Atomics.wait(clock, 0, 0, GLANCE);
  }
  const [magic, version, order, flags = 0, capacity = 0, longest = 0, data, seats] = words;
  if (magic === 0) throw noRing(details, 'its creator has not finished it: unlink it');
  if (magic !== MAGIC) throw noRing(details, 'it holds something else');
  if (order !== ORDER) throw noRing(details, 'it is of a machine with another byte order');
  if (version !== VERSION) {
    throw noRing(details, `it is of version ${version}, this package knows ${VERSION}`);
  }
  const power = capacity >= LEAST && capacity <= MOST && (capacity & (capacity - 1)) === 0;
  if (
    !power ||
    memory.byteLength < bytesOfRing(capacity) ||
    longest < 0 ||
    longest > longestMessage(capacity) ||
    data !== DATA ||
    (flags !== 0 && flags !== 1) ||
    seats !== (flags === 1 ? SEATS : 1)
  ) {
    throw noRing(details, 'its constants cannot be');
  }
  return {
    capacity,
    maxMessageSize: longest,
    turns: flags === 1,
    seats,
    id: Buffer.from(memory.bytes.subarray(32, 48)).toString('hex'),
    namespace: memory.view(BigUint64Array, 48, 1)[0]!,
  };
}

/** The pid namespace of this process: its inode. */
export function pidNamespace(): bigint {
  return statSync('/proc/self/ns/pid', { bigint: true }).ino;
}

function noRing(details: IpcErrorDetails, hint: string): IpcError {
  return new IpcError('EBADMSG', { ...details, text: 'not a ring', hint });
}
