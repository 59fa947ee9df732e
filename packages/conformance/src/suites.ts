/**
 * The suites as data, to run without vitest.
 *
 * @packageDocumentation
 */
import { badInputSuite } from './bad-input.js';
import { byteStreamSuite } from './byte-stream.js';
import { crashSafetySuite } from './crash-safety.js';
import { lifecycleSuite } from './lifecycle.js';
import { lockSuite } from './lock.js';
import { messageChannelSuite } from './message-channel.js';
import { namedObjectSuite } from './named-object.js';
import { resourcesSuite } from './resources.js';
import { waitableSuite } from './waitable.js';

export { lacking, titleOf } from './adapter.js';
export { runCase, runSuite, type Case, type CaseReport, type Suite, type TraitOf } from './case.js';
export type { Scope } from './scope.js';

/** Every suite, by its trait. */
export const suites = {
  badInput: badInputSuite,
  byteStream: byteStreamSuite,
  crashSafety: crashSafetySuite,
  lifecycle: lifecycleSuite,
  lock: lockSuite,
  messageChannel: messageChannelSuite,
  namedObject: namedObjectSuite,
  resources: resourcesSuite,
  waitable: waitableSuite,
} as const;
