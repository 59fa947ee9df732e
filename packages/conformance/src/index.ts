/**
 * The test suite that every octoipc mechanism passes, and that any transport of your own can run.
 *
 * @packageDocumentation
 */
export type { Adapter, ScriptedAdapter } from './adapter.js';
export type {
  BadInputAdapter,
  BadInputSubject,
  BadInputTrait,
  Call,
  NumberParameter,
} from './bad-input.js';
export type {
  ByteStreamAdapter,
  ByteStreamTrait,
  StreamEnds,
  StreamReader,
  StreamWriter,
} from './byte-stream.js';
export type { CrashSafetyAdapter, CrashSafetyTrait } from './crash-safety.js';
export {
  describeByteStream,
  describeIteration,
  describeLock,
  describeMessageChannel,
  describeNamedObject,
  describeWaitable,
} from './describe.js';
export {
  describeBadInput,
  describeCrashSafety,
  describeLifecycle,
  describeResources,
} from './describe-robustness.js';
export type { Iterated, IterationAdapter, IterationTrait } from './iteration.js';
export type { LifecycleAdapter, LifecycleTrait } from './lifecycle.js';
export type { Held, Lock, LockAdapter, LockTrait } from './lock.js';
export type { ChannelEnds, MessageChannelAdapter, MessageChannelTrait } from './message-channel.js';
export type { NamedObjectAdapter, NamedObjectTrait, NamedOptions } from './named-object.js';
export type { Opened, ResourcesAdapter, ResourcesTrait } from './resources.js';
export type { Waitable, WaitableAdapter, WaitableTrait } from './waitable.js';
