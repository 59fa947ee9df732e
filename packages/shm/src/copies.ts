import type { Bytes, IpcErrorDetails } from '@octoipc/core';
import { bytes as bytesOf, integer, IpcError, rangeError } from '@octoipc/core/kit';

import type { Mapping } from './mapping.js';

/** A copy of a part of a mapping; the rest from the offset on where no length is told. */
export function copyOf(
  mapping: Mapping,
  byteOffset: number,
  length: number | undefined,
  details: IpcErrorDetails,
): Buffer {
  integer(byteOffset, 'byteOffset', 0, mapping.byteLength);
  const rest = mapping.byteLength - byteOffset;
  const count = length === undefined ? rest : integer(length, 'length', 0, rest);
  // Not of the pool, which any other Buffer's `buffer` shows.
  const copy = Buffer.allocUnsafeSlow(count);
  mapping.read(byteOffset, copy, details);
  return copy;
}

/** Copies bytes into a mapping. */
export function copyInto(
  mapping: Mapping,
  byteOffset: number,
  bytes: Bytes | ArrayBufferView,
  { readOnly, details }: { readOnly: boolean; details: IpcErrorDetails },
): void {
  const data = bytesOf(bytes, 'bytes');
  integer(byteOffset, 'byteOffset', 0, mapping.byteLength);
  const rest = mapping.byteLength - byteOffset;
  if (data.length > rest) throw rangeError('bytes.length', `at most ${rest}`, data.length);
  if (readOnly) {
    const hint = 'the memory is for reading only: it was opened so, or is sealed against writing';
    throw new IpcError('EACCES', { ...details, hint });
  }
  mapping.write(byteOffset, data, details);
}
