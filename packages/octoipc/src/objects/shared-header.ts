import { statSync } from 'node:fs';

import type { Kind } from './object.js';
import { livesSince } from './process-info.js';

/** What the header in shared memory says. */
export interface MemoryHeader {
  readonly kind: Kind;
  readonly remarks: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly counters: Readonly<Record<string, number>>;
}

/** Who sits at an end of a ring. */
export interface Seat {
  readonly pid: number;
  /** False where the process in it is dead, and nobody has found out yet; null where its pid means nothing here. */
  readonly alive: boolean | null;
  /** How many have died in it, modulo 256. */
  readonly deaths: number;
}

/** Reads more of the memory, as far as it goes. */
type More = (at: number, length: number) => Buffer;
type Reading = (head: Buffer, more: More) => MemoryHeader | undefined;

/** What is kept in shared memory, by the word that it begins with: docs/layout.md. */
const BY_MAGIC: ReadonlyMap<number, Reading> = new Map([
  [0x474e_524f, ring],
  [0x5443_424f, broadcast],
  [0x4c41_564f, value],
]);

/**
 * What shared memory holds, of what docs/layout.md specifies.
 *
 * @param head - its first bytes
 * @param more - reads what lies behind them
 * @returns what the header says; undefined for memory of any other use
 */
export function readHeader(head: Buffer, more: More): MemoryHeader | undefined {
  if (head.length < 4) return undefined;
  return BY_MAGIC.get(head.readUInt32LE(0))?.(head, more);
}

/** Where every header has the pid namespace of its pids. */
const NAMESPACE = 48;

/** The header of a ring, in bytes: docs/layout.md. */
const RING = { size: 4096, tail: 64, head: 128, consumer: 512, producers: 576, seat: 64 } as const;
const PID = 0x3f_ffffn;

function ring(head: Buffer): MemoryHeader | undefined {
  if (head.length < RING.size) return undefined;
  const [version, , flags, capacity, maxMessageSize, , seats] = words(head, 4, 7);
  if (version !== 1 || seats === undefined || seats > 32) return undefined;
  const [tail, taken] = [head.readUInt32LE(RING.tail), head.readUInt32LE(RING.head)];
  const used = (tail - taken) >>> 0;
  const consumer = seatAt(head, RING.consumer);
  const producers = Array.from({ length: seats }, (_, index) =>
    seatAt(head, RING.producers + RING.seat * index),
  ).filter((seat) => seat !== null);
  return {
    kind: 'ring',
    remarks: [
      `${used} of ${capacity} bytes used`,
      ...(consumer === null ? ['no consumer'] : [`consumer ${saying(consumer)}`]),
      ...producers.map((seat) => `producer ${saying(seat)}`),
    ],
    details: {
      version,
      capacity,
      maxMessageSize,
      used,
      producersTakeTurns: flags === 1,
      consumer,
      producers,
    },
    counters: { sent: tail, taken },
  };
}

/** Where broadcasts and values have their positions, and who writes. */
const LATEST = { begun: 64, complete: 128, writer: 512 } as const;

/** A record of a broadcast: its length, its kind, its number. */
const RECORD = { kind: 4, number: 8, size: 16, message: 1 } as const;

function broadcast(head: Buffer, more: More): MemoryHeader | undefined {
  const [version, , , capacity = 0, maxMessageSize] =
    head.length < RING.size ? [] : words(head, 4, 5);
  if (version !== 1 || capacity === 0) return undefined;
  const messages = published(head.readBigUInt64LE(LATEST.complete), capacity, more);
  const producer = seatAt(head, LATEST.writer);
  return {
    kind: 'broadcast',
    remarks: [
      `${capacity} bytes`,
      producer === null ? 'no producer' : `producer ${saying(producer)}`,
    ],
    details: { version, capacity, maxMessageSize, messages, producer },
    counters: messages === null ? {} : { messages },
  };
}

/** How many messages were published ever: the newest has its number. Null where it was just overwritten. */
function published(last: bigint, capacity: number, more: More): number | null {
  if (last === 0n) return 0;
  const record = more(RING.size + Number(last % BigInt(capacity)), RECORD.size);
  if (record.length < RECORD.size || record.readUInt32LE(RECORD.kind) !== RECORD.message)
    return null;
  return Number(record.readBigUInt64LE(RECORD.number)) + 1;
}

function value(head: Buffer): MemoryHeader | undefined {
  const [version, , , , maxSize] = head.length < RING.size ? [] : words(head, 4, 5);
  if (version !== 1) return undefined;
  const current = Number(head.readBigUInt64LE(LATEST.complete));
  const writer = seatAt(head, LATEST.writer);
  return {
    kind: 'value',
    remarks: [
      current === 0 ? 'never set' : `version ${current}`,
      ...(writer === null ? [] : [`being set by ${saying(writer)}`]),
    ],
    details: { version, maxSize, current, writer },
    counters: { versions: current },
  };
}

function saying({ pid, alive }: Seat): string {
  if (alive === null) return `${pid} of another pid namespace`;
  return alive ? String(pid) : `${pid}, who died`;
}

/** Who sits in a seat: pid, start time and deaths in one word of 64 bits. */
function seatAt(head: Buffer, at: number): Seat | null {
  const identity = head.readBigUInt64LE(at);
  const pid = Number(identity & PID);
  if (pid === 0) return null;
  const start = Number((identity >> 22n) & 0xffff_ffffn);
  const alive = isForeign(head, identity) ? null : livesSince(pid, start);
  return { pid, alive, deaths: Number(identity >> 56n) };
}

/** Whether a pid means another process here, or none: the memory is of another pid namespace, or the process. */
function isForeign(head: Buffer, identity: bigint): boolean {
  const { ino } = statSync('/proc/self/ns/pid', { bigint: true });
  return ((identity >> 54n) & 1n) === 1n || head.readBigUInt64LE(NAMESPACE) !== ino;
}

function words(head: Buffer, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => head.readUInt32LE(at + 4 * index));
}
