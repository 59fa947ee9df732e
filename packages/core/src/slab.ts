/** A slab is shared by all readers of a thread; a read that asks for more gets memory of its own. */
const SLAB_SIZE = 256 * 1024;

/** The least room that is worth a read, so that a packet of PIPE_BUF always fits. */
const LEAST_ROOM = 16 * 1024;

let slab: Buffer | undefined;
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
  if (size > SLAB_SIZE) return readAlone(size, fill);
  if (slab === undefined || SLAB_SIZE - used < Math.min(size, LEAST_ROOM)) {
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    used = 0;
  }
  const start = used;
  const count = fill(slab, start, Math.min(size, SLAB_SIZE - start));
  if (count <= 0) return count;
  used = start + count;
  return slab.subarray(start, used);
}

function readAlone(
  size: number,
  fill: (memory: Buffer, offset: number, length: number) => number,
): Buffer | number {
  const memory = Buffer.allocUnsafeSlow(size);
  const count = fill(memory, 0, size);
  if (count <= 0) return count;
  if (count >= size / 2) return memory.subarray(0, count);
  return Buffer.from(memory.subarray(0, count));
}
