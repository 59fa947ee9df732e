import { statSync } from 'node:fs';

import type { IpcErrorDetails } from '@octoipc/core';
import { IpcError } from '@octoipc/core/kit';

import type { Memory } from './memory.js';

/** Where the data of a ring, a broadcast or a value begin, in bytes: docs/layout.md. */
export const DATA = 4096;

/** Seats: the first is the consumer's of a ring, the only one of a broadcast. */
export const SEAT: Readonly<Record<'offset' | 'size' | 'wants' | 'generation', number>> = {
  offset: 512,
  size: 64,
  wants: 8 / 4,
  generation: 12 / 4,
};

/** What sleeps: bits of a word. */
export const SLEEP = { futex: 1, bell: 2 } as const;

/** The word of the magic. */
export const MAGIC = 0;

/** The bytes of a header, and where in it the id and the pid namespace are. */
const HEADER = 64;
const ID = 32;
const NAMESPACE = 48;

const VERSION = 1;
const ORDER = 0x0102_0304;

/** How long somebody else may take to make it, and how often it is looked, in milliseconds. */
const PATIENCE = 500;
const GLANCE = 1;

const clock = new Int32Array(new SharedArrayBuffer(4));

/** The first words of a header: magic, version, order, flags, and four that are a kind's own. */
export type HeaderWords = readonly [flags: number, ...own: readonly number[]];

/** What is made in memory, by the name that errors give it. */
export interface Kind {
  readonly what: string;
  readonly magic: number;
}

/** The header of something new. */
export function headerOf({ magic }: Kind, own: HeaderWords, id: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER);
  new Int32Array(header.buffer).set([magic, VERSION, ORDER, ...own]);
  header.set(id, ID);
  new BigUint64Array(header.buffer)[NAMESPACE / 8] = pidNamespace();
  return header;
}

/** Puts a header into zeroed memory, the magic last: who sees that sees all of it. */
export function putHeader(memory: Memory, header: Uint8Array): void {
  const words = memory.view(Int32Array, 0, HEADER / 4);
  const [magic = 0, ...rest] = new Int32Array(header.buffer);
  words.set(rest, MAGIC + 1);
  Atomics.store(words, MAGIC, magic);
}

/** What the header of something says. */
export interface SharedHeader {
  /** The words from the flags on, of which a kind checks its own. */
  readonly words: readonly number[];
  /** Names bells: hexadecimal digits. */
  readonly id: string;
  /** The pid namespace of who made it. */
  readonly namespace: bigint;
}

/**
 * Waits until it is made, and looks at what all have. Of a copy: an attached handle makes no view until it has an end.
 *
 * @throws {IpcError} EBADMSG when it is none, or of another version
 */
export function readHeader(memory: Memory, kind: Kind, details: IpcErrorDetails): SharedHeader {
  if (memory.byteLength < DATA) throw notA(kind, details, 'it is too short');
  // The first word is read first, and what is behind it was there before it.
  let header = memory.read(0, HEADER);
  const until = performance.now() + PATIENCE;
  while (header.readInt32LE() === 0 && performance.now() < until) {
    Atomics.wait(clock, 0, 0, GLANCE);
    header = memory.read(0, HEADER);
  }
  const [magic, version, order, ...words] = new Int32Array(header.buffer, header.byteOffset, 8);
  if (magic === 0) throw notA(kind, details, 'its creator has not finished it: unlink it');
  if (magic !== kind.magic) throw notA(kind, details, 'it holds something else');
  if (order !== ORDER) throw notA(kind, details, 'it is of a machine with another byte order');
  if (version !== VERSION) {
    throw notA(kind, details, `it is of version ${version}, this package knows ${VERSION}`);
  }
  return {
    words,
    id: header.toString('hex', ID, NAMESPACE),
    namespace: header.readBigUInt64LE(NAMESPACE),
  };
}

let ownNamespace: bigint | undefined;

/** The pid namespace of this process, which never changes: its inode. */
export function pidNamespace(): bigint {
  ownNamespace ??= statSync('/proc/self/ns/pid', { bigint: true }).ino;
  return ownNamespace;
}

/** The error of memory that holds something else. */
export function notA({ what }: Kind, details: IpcErrorDetails, hint: string): IpcError {
  return new IpcError('EBADMSG', { ...details, text: `not a ${what}`, hint });
}

/** The error of memory that somebody has damaged, or cut off. */
export function damageOf({ what }: Kind, memory: Memory, details: IpcErrorDetails): Error {
  try {
    // What was cut off is damaged, too; that has a better explanation.
    void memory.buffer;
  } catch (error) {
    return error as Error;
  }
  return new IpcError('EBADMSG', {
    ...details,
    text: `the ${what} is damaged`,
    hint: 'some process has written into it what cannot be: unlink it and create it again',
  });
}
