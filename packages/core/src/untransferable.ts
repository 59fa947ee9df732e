import { markAsUntransferable } from 'node:worker_threads';

/**
 * Keeps memory that many messages share from being transferred away with one of them: the others would be
 * empty. Node throws then, or clones (Node 20).
 *
 * @param memory - of a slab, before anything of it is handed out
 */
export function untransferable(memory: ArrayBufferLike): void {
  try {
    markAsUntransferable(memory);
  } catch {
    // Not every runtime has it.
  }
}
