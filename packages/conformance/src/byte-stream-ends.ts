import assert from 'node:assert/strict';

import type { ByteStreamAdapter, StreamEnds, StreamReader, StreamWriter } from './byte-stream.js';
import type { Scope } from './scope.js';

/** Larger than what any bounded stream holds by default. */
export const PLENTY: number = 1024 * 1024;

/** A stream that the scope closes. */
export async function open(adapter: ByteStreamAdapter, scope: Scope): Promise<StreamEnds> {
  const ends = await adapter.open();
  scope.use(ends.reader);
  scope.use(ends.writer);
  return ends;
}

/** Everything until the end of the stream. */
export async function drain(reader: StreamReader, maxBytes?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await reader.read(maxBytes === undefined ? undefined : { maxBytes });
    if (chunk === null) return Buffer.concat(chunks);
    assert.ok(chunk.length > 0, 'read() gave nothing, neither bytes nor the end');
    chunks.push(chunk);
  }
}

/** So many bytes, in however many reads. */
export async function take(reader: StreamReader, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let left = length; left > 0;) {
    const chunk = await reader.read({ maxBytes: left });
    assert.ok(chunk !== null, `the stream ended ${left} bytes early`);
    chunks.push(chunk);
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Writes pieces until the stream is full; all that it took. */
export function fill(writer: StreamWriter, piece: Uint8Array): Buffer {
  const taken: Uint8Array[] = [];
  for (let total = 0; ;) {
    const count = writer.tryWrite(piece);
    assert.ok(count >= 0 && count <= piece.length, `tryWrite() took ${count} of ${piece.length}`);
    if (count === 0) return Buffer.concat(taken);
    taken.push(piece.subarray(0, count));
    total += count;
    assert.ok(total < 64 * PLENTY, 'tryWrite() never says that the stream is full');
  }
}

/** All that is there now. */
export function takeAll(reader: StreamReader): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = reader.tryRead();
    if (chunk === undefined || chunk === null) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

/** A method that the adapter does not declare as lacking. */
export function required<T>(method: T | undefined, name: string): T {
  assert.ok(method !== undefined, `there is no ${name}, and the adapter does not say so in lacks`);
  return method;
}
