// What a short form tries, of what the long one does: drawn by a seed, so that a second look tries the same again.

/** FNV-1a of a text, in 32 bits, of which each depends on all of it. */
function hash(text) {
  let value = 0x811c_9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x0100_0193) >>> 0;
  value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/**
 * Whether one of many is drawn. It hangs on its name, not on its place among the others, of which there may be more or
 * fewer from one run to the next; seeds that follow each other draw all there are.
 *
 * @param {string} name
 * @param {number} share - one of so many is
 * @param {number} seed
 */
export function isDrawn(name, share, seed) {
  return (hash(name) + seed) % share === 0;
}
