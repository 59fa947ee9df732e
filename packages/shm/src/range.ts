/** A part of a memory, in bytes; all of it where nothing is said. */
export interface MemoryRange {
  /** @default 0 */
  readonly byteOffset?: number | undefined;
  /** @default the rest */
  readonly length?: number | undefined;
}
