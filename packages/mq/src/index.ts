/**
 * Message queues: those of POSIX, whose messages have priorities, and those of System V, whose messages
 * have types.
 *
 * @packageDocumentation
 */
export { mqReceiver, mqSender } from './channel.js';
export { ftok } from './ftok.js';
export type { Notification } from './notifications.js';
export type { PosixQueueLimits } from './posix-limits.js';
export type { ListOptions, PosixQueueInfo } from './posix-list.js';
export type {
  PosixAttributes,
  PosixMessage,
  PosixReceiveOptions,
  PosixSendOptions,
  ReceiveManyOptions,
} from './posix-message.js';
export type { PosixAccess, PosixOpenOptions } from './posix-open.js';
export { PosixQueue } from './posix-queue.js';
export { receiveAny, type ReceivedFrom } from './receive-any.js';
export type {
  SysvMessage,
  SysvReceiveManyOptions,
  SysvReceiveOptions,
  SysvSelection,
  SysvSendOptions,
  SysvTarget,
} from './sysv-message.js';
export type { SysvKey, SysvOpenOptions } from './sysv-open.js';
export type { SysvChanges } from './sysv-handle.js';
export { SysvQueue } from './sysv-queue.js';
export type { LastUser, SysvQueueInfo, SysvQueueStatus } from './sysv-status.js';
