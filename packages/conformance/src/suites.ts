/**
 * The suites as data, to run without vitest.
 *
 * @packageDocumentation
 */
import { badInputSuite, type BadInputAdapter } from './bad-input.js';
import { byteStreamSuite, type ByteStreamAdapter } from './byte-stream.js';
import type { Suite } from './case.js';
import { crashSafetySuite, type CrashSafetyAdapter } from './crash-safety.js';
import { iterationSuite, type IterationAdapter } from './iteration.js';
import { lifecycleSuite, type LifecycleAdapter } from './lifecycle.js';
import { lockSuite, type LockAdapter } from './lock.js';
import { messageChannelSuite, type MessageChannelAdapter } from './message-channel.js';
import { namedObjectSuite, type NamedObjectAdapter } from './named-object.js';
import { resourcesSuite, type ResourcesAdapter } from './resources.js';
import { waitableSuite, type WaitableAdapter } from './waitable.js';

export { lacking, titleOf } from './adapter.js';
export { runCase, runSuite, type Case, type CaseReport, type Suite, type TraitOf } from './case.js';
export type { Scope } from './scope.js';

/** Every suite, by its trait. */
export const suites: {
  readonly badInput: Suite<BadInputAdapter>;
  readonly byteStream: Suite<ByteStreamAdapter>;
  readonly crashSafety: Suite<CrashSafetyAdapter>;
  readonly iteration: Suite<IterationAdapter>;
  readonly lifecycle: Suite<LifecycleAdapter>;
  readonly lock: Suite<LockAdapter>;
  readonly messageChannel: Suite<MessageChannelAdapter>;
  readonly namedObject: Suite<NamedObjectAdapter>;
  readonly resources: Suite<ResourcesAdapter>;
  readonly waitable: Suite<WaitableAdapter>;
} = {
  badInput: badInputSuite,
  byteStream: byteStreamSuite,
  crashSafety: crashSafetySuite,
  iteration: iterationSuite,
  lifecycle: lifecycleSuite,
  lock: lockSuite,
  messageChannel: messageChannelSuite,
  namedObject: namedObjectSuite,
  resources: resourcesSuite,
  waitable: waitableSuite,
};
