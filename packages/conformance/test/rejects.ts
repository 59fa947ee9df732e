import assert from 'node:assert/strict';

import { runSuite, type Suite } from '../src/suites.js';
import type { Adapter } from '../src/index.js';

/** Cases that hang because of a defect are ended after this long. */
const WATCHDOG = 500;

interface Options {
  /** Only these cases; the others would take too long, or count the same descriptors. @default all, at once */
  readonly only?: readonly string[];
  readonly watchdog?: number;
}

/**
 * Fails unless a suite rejects a broken subject by the case that is about its defect, and not by all.
 *
 * @returns the keys of the cases that rejected it
 */
export async function assertRejected<A extends Adapter>(
  suite: Suite<A>,
  adapter: A,
  key: string,
  { only, watchdog = WATCHDOG }: Options = {},
): Promise<string[]> {
  const keys = suite.cases.map((each) => each.key);
  assert.ok(keys.includes(key), `there is no case ${key}`);
  const reports =
    only === undefined
      ? await Promise.all(keys.map((each) => runSuite(suite, adapter, { watchdog, only: [each] })))
      : [await runSuite(suite, adapter, { watchdog, only })];
  const failed = reports.flat().filter(({ status }) => status === 'failed');
  const failing = failed.map((report) => report.key);
  assert.ok(failing.includes(key), `rejected by [${failing.join(', ')}], and not by ${key}`);
  assert.ok(failing.length < suite.cases.length, 'every single case rejects it');
  return failing;
}
