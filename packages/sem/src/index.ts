/**
 * Semaphores and locks between processes: those of POSIX and of System V, and locks that survive the death
 * of their owners.
 *
 * @packageDocumentation
 */
export type { Permit } from './permit.js';
export type { SemaphoreAtOptions, SemaphoreInfo, SemaphoreOpenOptions } from './posix-open.js';
export { PosixSemaphore } from './posix-semaphore.js';
export type { LockMemory } from './region.js';
export type { NamedOpenOptions } from './shm-file.js';
export type { Guard } from './guard.js';
export type { LockAtOptions, LockFile } from './lock-open.js';
export { Mutex, type LockInfo } from './mutex.js';
export type { DeadOwner, LockOwner } from './owned-word.js';
