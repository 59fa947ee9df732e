/**
 * Shared memory: of POSIX, of System V, memfds and mapped files, as buffers that no misuse turns into the
 * death of the process.
 *
 * @packageDocumentation
 */
export type { MemoryAdvice } from './advice.js';
export type { BroadcastConsumer, BroadcastReceiveManyOptions } from './broadcast-consumer.js';
export type { BroadcastProducer } from './broadcast-producer.js';
export {
  ShmBroadcast,
  type BroadcastConsumerOptions,
  type ShmBroadcastOptions,
} from './broadcast.js';
export { ftok } from './ftok.js';
export type {
  ListOptions,
  SharedMemoryInfo,
  SharedMemoryKind,
  SharedMemoryListOptions,
} from './list.js';
export type { MemoryBuffer } from './mapping.js';
export type { MemfdOptions } from './memfd.js';
export { Memory } from './memory.js';
export type { FileMemoryOptions, SharedMemoryOpenOptions } from './object-options.js';
export type { MemoryRange } from './range.js';
export { shmReceiver, shmSender } from './ring-channel.js';
export type { RingConsumer, RingReceiveManyOptions } from './ring-consumer.js';
export type { RingStats } from './mapped-ring.js';
export type { RingEnd } from './ring-end.js';
export type { RingClaim } from './ring-claim.js';
export type { RingProducer } from './ring-producer.js';
export { ShmRing, type ShmRingOptions } from './ring.js';
export type { Seal } from './seals.js';
export { SharedMemory, type FromFdOptions } from './shared-memory.js';
export type { SysvKey } from './sysv-open.js';
export { SysvSharedMemory, type SysvSharedMemoryChanges } from './sysv-shared-memory.js';
export type { SysvSharedMemoryInfo, SysvSharedMemoryStatus } from './sysv-status.js';
export { ShmValue, type ShmValueOptions } from './value.js';
export type { ViewConstructor } from './view.js';
