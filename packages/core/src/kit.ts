/**
 * The kit that the octoipc packages are built from: validation, waiting, handles, binding loader. For
 * those packages and for transports of your own; it follows their needs.
 *
 * @packageDocumentation
 */
export { onAbort } from './abort.js';
export { adopt } from './adopt.js';
export { AGAIN, codeOfErrno, errnoOfCode, textOfCode } from './errno.js';
export {
  check,
  closedError,
  errorOf,
  IpcError,
  isIpcError,
  tellBytesWritten,
  timeoutError,
  unsupportedError,
  type IpcErrorDetails,
} from './errors.js';
export { Deadline } from './deadline.js';
export { following, type Retelling } from './following.js';
export { FdHandle, type DescriptorBinding, type Direction } from './handle.js';
export { ftokOf, type FtokBinding } from './ftok.js';
export { ipcNamespace } from './ipc-namespace.js';
export { iterate, type IterationSource } from './iteration.js';
export { KnownMemory } from './known-memory.js';
export { linesOf, type LinesOptions } from './lines.js';
export { loadBinding } from './load-binding.js';
export { inMainThread } from './main-thread.js';
export { FdSource } from './fd-source.js';
export { POLLERR, POLLHUP, POLLIN, POLLOUT } from './poll-events.js';
export { Readiness, type ReadinessBinding, type ReadinessMode } from './readiness.js';
export { TemporaryName, type ObjectIdentity } from './names.js';
export { Pending } from './pending.js';
export {
  livenessOf,
  ownIdentity,
  pidInUse,
  type Liveness,
  type ProcessIdentity,
} from './process-identity.js';
export {
  busyError,
  DEFAULT_MAX_BYTES,
  readAllOf,
  readTarget,
  type ReadAllOptions,
  type ReadOptions,
  type ReadSyncOptions,
} from './reading.js';
export {
  reap,
  reapName,
  registerReaper,
  type Creator,
  type Reaper,
  type Remover,
  type RemovingCall,
  type ReapReport,
} from './reap.js';
export { ResourceHandle, type OwnedResource } from './resource-handle.js';
export { bufferOf, memoryForRead, readIntoSlab } from './slab.js';
export {
  firstRealTimeSignal,
  LAST_SIGNAL,
  signalNameOf,
  signalNumberOf,
  signalNumbers,
} from './signal-names.js';
export { Temporary } from './temporary.js';
export { readableOf, webReadableOf, webWritableOf, writableOf } from './streams.js';
export { Turn } from './turn.js';
export { untransferable } from './untransferable.js';
export {
  bytes,
  callback,
  objectWith,
  cString,
  descriptor,
  integer,
  isDetached,
  oneOf,
  optionalBoolean,
  optionsObject,
  rangeError,
  typeError,
  valueError,
  writableBytes,
} from './validate.js';
export {
  BLOCKED,
  checkTimeout,
  WaitQueue,
  waitOptions,
  YIELD,
  type Attempt,
  type Operation,
  type WaitOptions,
  type WakeSource,
} from './wait.js';
export { waitSync } from './wait-sync.js';
export { writingAll, type WriteSyncOptions } from './writing.js';
