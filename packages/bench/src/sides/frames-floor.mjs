// @ts-check
// The least that JavaScript can do for framed messages of a stream, where each is a Buffer: no checks, no limits, no
// order of callers, no end, nothing that is cancelled.
import { fill } from './side.mjs';

const HEADER = 4;
const BATCH = 64 * 1024;

/** Buffer's own class, without the checks of its constructor. */
const View = /** @type {Uint8ArrayConstructor} */ (/** @type {any} */ (Buffer)[Symbol.species]);

/**
 * Makes each message where its caller has it, and copies it behind the one before.
 *
 * @param {number} size
 * @param {{ write(bytes: Uint8Array): Promise<void> }} writer
 */
export function gathered(size, writer) {
  const message = Buffer.alloc(size);
  const batch = Buffer.alloc(BATCH);
  return async (/** @type {number} */ count) => {
    let used = 0;
    for (let n = 0; n < count; n++) {
      if (used + HEADER + size > BATCH) {
        await writer.write(batch.subarray(0, used));
        used = 0;
      }
      fill(message, n);
      batch[used] = size;
      batch[used + 1] = size >>> 8;
      batch[used + 2] = size >>> 16;
      batch[used + 3] = size >>> 24;
      batch.set(message, used + HEADER);
      used += HEADER + size;
    }
    await writer.write(batch.subarray(0, used));
  };
}

/**
 * @typedef {object} Rest
 * @property {Uint8Array} bytes - of the frame that a read has cut
 */

/**
 * What one read brought, cut into messages.
 *
 * @param {Uint8Array} chunk
 * @param {Rest} rest
 */
function cut(chunk, rest) {
  const bytes = rest.bytes.length === 0 ? chunk : Buffer.concat([rest.bytes, chunk]);
  const { buffer, byteOffset, length } = bytes;
  const messages = [];
  let at = 0;
  while (at + HEADER <= length) {
    const size =
      Number(bytes[at]) |
      (Number(bytes[at + 1]) << 8) |
      (Number(bytes[at + 2]) << 16) |
      (Number(bytes[at + 3]) << 24);
    if (at + HEADER + size > length) break;
    messages.push(new View(buffer, byteOffset + at + HEADER, size));
    at += HEADER + size;
  }
  rest.bytes = bytes.subarray(at);
  return messages;
}

/**
 * All messages of one read.
 *
 * @param {{ read(): Promise<Buffer | null> }} reader
 */
export function cutTogether(reader) {
  const rest = { bytes: new Uint8Array() };
  return {
    receiveMany: async () => cut(/** @type {Buffer} */ (await reader.read()), rest),
  };
}

/**
 * The same, one by one: a promise for each, which is settled unless a read has to come first.
 *
 * @param {{ read(): Promise<Buffer | null> }} reader
 * @returns {AsyncIterable<Uint8Array>}
 */
export function cutIterated(reader) {
  const source = cutTogether(reader);
  /** @type {Uint8Array[]} */
  let messages = [];
  let at = 0;
  /** @returns {IteratorResult<Uint8Array>} */
  const step = () => ({ done: false, value: /** @type {Uint8Array} */ (messages[at++]) });
  const refill = async () => {
    do {
      messages = await source.receiveMany();
      at = 0;
    } while (messages.length === 0);
    return step();
  };
  const iterator = { next: () => (at < messages.length ? Promise.resolve(step()) : refill()) };
  return { [Symbol.asyncIterator]: () => iterator };
}
