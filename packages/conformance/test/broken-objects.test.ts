import { rmSync } from 'node:fs';

import { afterAll, describe, test } from 'vitest';

import type { Adapter } from '../src/index.js';
import { suites, type Suite } from '../src/suites.js';
import { assertRejected } from './rejects.js';
import { lifecycle, makeFolder, resources } from './subjects/adapters.js';
import { brokenSurvivors } from './subjects/broken-crashes.js';
import { brokenInputs } from './subjects/broken-inputs.js';
import { brokenLocks } from './subjects/broken-locks.js';
import { brokenNames } from './subjects/broken-names.js';
import { brokenResources } from './subjects/broken-resources.js';
import type { Broken } from './subjects/broken.js';

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));

function rejects<A extends Adapter, B extends A>(
  suite: Suite<A>,
  brokens: readonly Broken<B>[],
  watchdog = 10_000,
): void {
  describe(`the suite '${suite.trait}' rejects what`, () => {
    for (const { defect, adapter, rejectedBy } of brokens) {
      test(`${defect}, by '${rejectedBy}'`, async () => {
        await assertRejected<A>(suite, adapter, rejectedBy, { only: [rejectedBy], watchdog });
      });
    }
  });
}

rejects(suites.resources, brokenResources);
rejects(suites.badInput, brokenInputs);
rejects(suites.namedObject as unknown as Suite<(typeof brokenNames)[0]['adapter']>, brokenNames);
rejects(suites.lock, brokenLocks, 2_000);
rejects(suites.crashSafety, brokenSurvivors);

/** Runs with a defect of the other process, which hears of it by the environment. */
async function withDefect(defect: string, run: () => Promise<unknown>): Promise<void> {
  process.env['OCTOIPC_TEST_DEFECT'] = defect;
  try {
    await run();
  } finally {
    delete process.env['OCTOIPC_TEST_DEFECT'];
  }
}

describe("the suite 'lifecycle' rejects what", () => {
  const defects = {
    'waits keep nothing alive': 'wait-keeps-alive',
    'idle handles keep the process alive': 'idle-lets-go',
    'unref does nothing': 'unref-lets-go',
    'aborts at exit': 'exit-while-waiting',
    'fails in workers': 'workers-beside-main',
    'is interrupted': 'interrupted',
  };
  for (const [defect, rejectedBy] of Object.entries(defects)) {
    test(`${defect}, by '${rejectedBy}'`, async () => {
      await withDefect(defect, () =>
        assertRejected(suites.lifecycle, lifecycle, rejectedBy, {
          only: [rejectedBy],
          watchdog: 10_000,
        }),
      );
    });
  }
});

describe("the suite 'resources' rejects handles of which it is true that", () => {
  const defects = {
    'dropped handles stay open': 'dropped',
    'warns of every handle': 'dropped',
    'leaks the first of two descriptors': 'exhausted',
  };
  for (const [defect, rejectedBy] of Object.entries(defects)) {
    test(`${defect}, by '${rejectedBy}'`, async () => {
      await withDefect(defect, () =>
        assertRejected(suites.resources, resources, rejectedBy, {
          only: [rejectedBy],
          watchdog: 10_000,
        }),
      );
    });
  }
});
