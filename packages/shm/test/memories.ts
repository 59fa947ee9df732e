import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import {
  SharedMemory,
  SysvSharedMemory,
  type MemfdOptions,
  type SharedMemoryOpenOptions,
} from '@octoipc/shm';
import { expect, onTestFinished } from 'vitest';

/** A name that nobody uses. */
export function freshName(): string {
  return `/octoipc-test-${process.pid}-${randomBytes(6).toString('hex')}`;
}

/** A key that nobody uses, as far as that can be. */
export function freshKey(): number {
  return 0x0c60_0000 + randomBytes(2).readUInt16LE();
}

/** Closes something at the end of the test. */
export function closing<T extends { close(): void }>(thing: T): T {
  onTestFinished(() => thing.close());
  return thing;
}

/** POSIX memory for one test. */
export function posix(options: SharedMemoryOpenOptions = {}, name = freshName()): SharedMemory {
  return closing(
    SharedMemory.open(name, { exclusive: true, temporary: true, size: 4096, ...options }),
  );
}

/** A memfd for one test. */
export function memfd(options: Partial<MemfdOptions> = {}): SharedMemory {
  return closing(SharedMemory.memfd({ size: 4096, ...options }));
}

/** A segment for one test. */
export function sysv(options: SharedMemoryOpenOptions = {}): SysvSharedMemory {
  return closing(SysvSharedMemory.open('private', { temporary: true, size: 4096, ...options }));
}

/** An error with this code. */
export function failure(code: string): unknown {
  return expect.objectContaining({ code });
}

/** O_CLOEXEC of a descriptor's flags, which /proc writes in octal. */
export function isCloseOnExec(fd: number): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  return (Number.parseInt(flags ?? '0', 8) & 0o2000000) !== 0;
}
