import { randomBytes } from 'node:crypto';

import { isIpcError } from '@octoipc/core';
import {
  Mutex,
  PosixSemaphore,
  SysvSemaphoreSet,
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

/** A key that nobody uses, as far as that can be. */
export function freshKey(): number {
  return 0x0c80_0000 + randomBytes(2).readUInt16LE();
}

/** A set for one test. */
export function set(...values: number[]): SysvSemaphoreSet {
  const made = SysvSemaphoreSet.open('private', { temporary: true, values });
  onTestFinished(() => made.close());
  return made;
}

/** An object of another kind for one test, under a name of its own. */
export function named<T extends { close(): void }>(
  kind: { open(name: string, options: NamedOpenOptions): T; unlink(name: string): void },
  options: NamedOpenOptions = {},
  name = freshName(),
): T {
  const made = kind.open(name, { create: true, ...options });
  onTestFinished(() => {
    made.close();
    unlinkIfThere(kind, name);
  });
  return made;
}

/** Whether a promise is still pending after the event loop has turned some times. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  return !settled;
}

/** Waits until something holds that others bring about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
