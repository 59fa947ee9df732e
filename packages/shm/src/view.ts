import { typeError } from '@octoipc/core/kit';

import type { MemoryBuffer } from './mapping.js';

/** The constructor of a view: of a typed array, or DataView. */
export type ViewConstructor<V extends ArrayBufferView> = new (
  buffer: MemoryBuffer,
  byteOffset: number,
  length: number,
) => V;

const VIEWS: ReadonlySet<unknown> = new Set([
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  (globalThis as { Float16Array?: unknown }).Float16Array,
]);

/** Bytes of one number of a view. */
export function sizeOf(constructor: unknown): number {
  if (constructor === undefined || !VIEWS.has(constructor)) {
    throw typeError('constructor', 'the constructor of a typed array, or DataView', constructor);
  }
  return (constructor as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}
