import { randomBytes } from 'node:crypto';

import { isIpcError } from '@octoipc/core';
import {
  Mutex,
  PosixSemaphore,
  type NamedOpenOptions,
  type SemaphoreOpenOptions,
} from '@octoipc/sem';
import { onTestFinished } from 'vitest';

/** A name that nobody uses. */
export function freshName(): string {
  return `/octoipc-test-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** Removes a name that may be gone already. */
export function unlinkIfThere(kind: { unlink(name: string): void }, name: string): void {
  try {
    kind.unlink(name);
  } catch (error) {
    if (!isIpcError(error, 'ENOENT')) throw error;
  }
}

/** A semaphore for one test, under a name of its own. */
export function semaphore(options: SemaphoreOpenOptions = {}, name = freshName()): PosixSemaphore {
  const made = PosixSemaphore.open(name, { create: true, ...options });
  onTestFinished(() => {
    made.close();
    unlinkIfThere(PosixSemaphore, name);
  });
  return made;
}

/** A mutex for one test, under a name of its own. */
export function mutex(options: NamedOpenOptions = {}, name = freshName()): Mutex {
  const made = Mutex.open(name, { create: true, ...options });
  onTestFinished(() => {
    made.close();
    unlinkIfThere(Mutex, name);
  });
  return made;
}
