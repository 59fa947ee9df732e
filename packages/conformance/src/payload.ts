import assert from 'node:assert/strict';

/** Numbers that look random and are the same in every run and every process (xorshift32). */
export class Sequence {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** 32 bits. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return this.next() % limit;
  }
}

/** So many bytes in which a lost, doubled or moved one shows. */
export function payload(length: number, seed = 1): Buffer {
  const sequence = new Sequence(Math.imul(seed, 2_654_435_761));
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = sequence.next();
  return Buffer.from(words.buffer, 0, length);
}

/** Fails at the first byte in which they differ, without printing a megabyte. */
export function assertSameBytes(
  actual: Uint8Array,
  expected: Uint8Array,
  what = 'the bytes',
): void {
  assert.equal(actual.length, expected.length, `${what}: the length differs`);
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.fail(`${what} differ at ${at}: ${actual[at]} instead of ${expected[at]}`);
}
