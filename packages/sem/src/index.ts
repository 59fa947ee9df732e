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
export type { SysvKey } from './sysv-key.js';
export type { SysvSetOpenOptions } from './sysv-open.js';
export type { SysvOperation } from './sysv-operation.js';
export { SysvSemaphoreSet } from './sysv-set.js';
export type { SysvSetChanges } from './sysv-set-handle.js';
export type { SysvSetLimits, SysvSetStatus } from './sysv-status.js';
export {
  Barrier,
  type BarrierAtOptions,
  type BarrierOpenOptions,
  type BarrierOptions,
} from './barrier.js';
export { Condition } from './condition.js';
export { RwLock } from './rw-lock.js';
