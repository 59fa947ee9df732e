// @ts-check

const KIB = 1024;
const MIB = 1024 * KIB;

/** The sizes of messages that are compared. */
export const SIZES = [1, 64, KIB, 4 * KIB, 64 * KIB, MIB];

/** @param {number} bytes */
export function sizeOf(bytes) {
  if (bytes >= MIB) return `${bytes / MIB} MiB`;
  return bytes >= KIB ? `${bytes / KIB} KiB` : `${bytes} B`;
}
