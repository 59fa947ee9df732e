import { closeSync } from 'node:fs';

import type { DescriptorBinding } from './handle.js';
import { inMainThread } from './main-thread.js';

/**
 * Takes over a descriptor that came from outside.
 *
 * In a worker Node remembers the numbers that `fs.openSync` has given out there, and closes each when the
 * worker ends, whoever has it by then (`trackUnmanagedFds`). Only `fs.closeSync` makes it forget one, so
 * there a duplicate is taken over, and the original closed that way.
 *
 * @param fd - open, and of the right kind
 * @returns the number by which it is owned from now on, in a worker another one; or -errno, and nothing
 *   has changed: EEXIST when a handle of the same binding owns it
 */
export function adopt(binding: DescriptorBinding, fd: number): number {
  if (inMainThread()) {
    const adopted = binding.adopt(fd);
    return adopted < 0 ? adopted : fd;
  }
  const copy = binding.adoptCopy(fd);
  if (copy >= 0) closeSilently(fd);
  return copy;
}

/** Node warns when it does not remember the number: it came from elsewhere, which is as good. */
function closeSilently(fd: number): void {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    closeSync(fd);
  } finally {
    process.emitWarning = emitWarning;
  }
}
