import { describe, test } from 'vitest';

import { lacking, titleOf, type Adapter } from './adapter.js';
import { runCase, type Suite } from './case.js';
import { patience } from './patience.js';

/** Above every case's watchdog, which tells more than the runner's. */
const RUNNER_TIMEOUT = 120_000 * patience;

/** Registers a suite with vitest: a test for each case, and one that is skipped for what is not applicable. */
export function register<A extends Adapter>(suite: Suite<A>, adapter: A): void {
  describe(`${adapter.name}: ${suite.trait}`, () => {
    for (const suiteCase of suite.cases) {
      const reason = lacking(adapter, suiteCase.needs);
      if (reason === undefined) {
        test(titleOf(adapter, suiteCase.ids, suiteCase.promise), { timeout: RUNNER_TIMEOUT }, () =>
          runCase(suiteCase, adapter),
        );
      } else {
        // Without its ids: nothing was checked.
        test.skip(`n/a: ${suiteCase.promise} (${reason})`, () => {});
      }
    }
  });
}
