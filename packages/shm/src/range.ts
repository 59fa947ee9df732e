import { integer, optionsObject } from '@octoipc/core/kit';

/** A part of a memory, in bytes; all of it where nothing is said. */
export interface MemoryRange {
  /** @default 0 */
  readonly byteOffset?: number | undefined;
  /** @default the rest */
  readonly length?: number | undefined;
}

/** Offset and length of a part of so many bytes. */
export function rangeWithin(
  range: MemoryRange | undefined,
  byteLength: number,
): [byteOffset: number, length: number] {
  const { byteOffset = 0, length } = optionsObject(range);
  integer(byteOffset, 'options.byteOffset', 0, byteLength);
  const rest = byteLength - byteOffset;
  return [byteOffset, length === undefined ? rest : integer(length, 'options.length', 0, rest)];
}
