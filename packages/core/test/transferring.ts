/** Tries to transfer the memory of a view away: newer versions of Node refuse, Node 20 clones. */
export function transferAway({ buffer }: Uint8Array): void {
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  } catch (error) {
    if ((error as Error).name !== 'DataCloneError') throw error;
  }
}
