import { untransferable } from './untransferable.js';

/** A slab is shared by all readers of a thread; a read that asks for more gets memory of its own. */
const SLAB_SIZE = 256 * 1024 + 64;

/** The least room that is worth a read, so that a packet of PIPE_BUF always fits. */
const LEAST_ROOM = 16 * 1024;

/** Buffer's own class, which its constructor for users hides behind checks; three times as quick. */
const Species: unknown = (Buffer as unknown as Record<symbol, unknown>)[Symbol.species];

type BufferClass = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

/** Whether that class is what Node has it to be; other runtimes may have none. */
function isUsable(species: unknown): species is BufferClass {
  if (typeof species !== 'function' || species === Buffer) return false;
  const memory = new ArrayBuffer(2);
  const made: unknown = new (species as BufferClass)(memory, 1, 1);
  return Buffer.isBuffer(made) && made.buffer === memory && made.byteOffset === 1;
}

/** A Buffer over a part of memory that is known to have it. */
export const bufferOf: (memory: ArrayBufferLike, offset: number, length: number) => Buffer =
  isUsable(Species)
    ? (memory, offset, length) => new Species(memory, offset, length)
    : (memory, offset, length) => Buffer.from(memory as ArrayBuffer, offset, length);

/**
 * Large memory of malloc(3) begins 16 bytes into a page, and what a read brings often at a page's begin.
 * Some processors copy four times slower where the target lies 1 to 31 bytes further into its page than
 * the source: so reads begin here.
 */
const OFFSET = 64;

/** Memory for a read of so many bytes, where the kernel copies quickly to. */
export function memoryForRead(size: number): Buffer {
  const memory = Buffer.allocUnsafeSlow(OFFSET + size);
  return bufferOf(memory.buffer, memory.byteOffset + OFFSET, size);
}

let slab: Buffer | undefined;
let memory: ArrayBufferLike;
let used = 0;

/**
 * Reads into a slab and hands out just the part that was filled, as a Buffer that nobody else will
 * ever write to. One allocation serves many small messages.
 *
 * @param size - the most that the read may give
 * @param fill - reads into `memory` from `offset` on, at most `length` bytes; how many it read, or a
 *   negative number, which is passed on
 * @returns the bytes, or the negative number
 */
export function readIntoSlab(
  size: number,
  fill: (memory: Buffer, offset: number, length: number) => number,
): Buffer | number {
  if (size > SLAB_SIZE - OFFSET) return readAlone(size, fill);
  // It is empty if somebody has detached it all the same.
  if (slab === undefined || SLAB_SIZE - used < Math.min(size, LEAST_ROOM) || slab.length === 0) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    memory = slab.buffer;
    used = OFFSET;
    untransferable(memory);
  }
  const start = used;
  const count = fill(slab, start, Math.min(size, SLAB_SIZE - start));
  if (count <= 0) return count;
  used = start + count;
  return bufferOf(memory, start, count);
}

function readAlone(
  size: number,
  fill: (memory: Buffer, offset: number, length: number) => number,
): Buffer | number {
  const alone = memoryForRead(size);
  const count = fill(alone, 0, size);
  if (count <= 0) return count;
  if (count >= size / 2) return alone.subarray(0, count);
  return Buffer.from(alone.subarray(0, count));
}
