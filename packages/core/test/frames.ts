import fc from 'fast-check';

export const message = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 1000, max: 1100 }).map((length) => new Uint8Array(length).fill(length)),
  fc.integer({ min: 15_000, max: 20_000 }).map((length) => new Uint8Array(length).fill(length)),
  fc.constant(new Uint8Array(70_000).fill(7)),
);
export const messages = fc.array(message, { maxLength: 12 });
export const sizes = fc.array(fc.nat({ max: 20_000 }), { maxLength: 40 });

export const frames = (all: readonly Uint8Array[]) =>
  Buffer.concat(
    all.flatMap((one) => {
      const header = Buffer.alloc(4);
      header.writeUInt32LE(one.length);
      return [header, one];
    }),
  );

/** Cuts bytes at these sizes in turn; a size of 0 is a moment in which nothing is there. */
export function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let start = 0;
  for (const size of at) {
    chunks.push(bytes.subarray(start, start + size));
    start += size;
  }
  return [...chunks, bytes.subarray(start)];
}
