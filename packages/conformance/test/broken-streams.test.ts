import { describe, test } from 'vitest';

import { suites } from '../src/suites.js';
import { assertRejected } from './rejects.js';
import { brokenChannels } from './subjects/broken-channels.js';
import { brokenIterations } from './subjects/broken-iterations.js';
import { brokenStreams } from './subjects/broken-streams.js';
import { brokenWaits } from './subjects/broken-waits.js';

describe.concurrent('suites.byteStream rejects a stream that', () => {
  for (const { defect, adapter, rejectedBy } of brokenStreams) {
    test(`${defect}, by '${rejectedBy}'`, async () => {
      await assertRejected(suites.byteStream, adapter, rejectedBy);
    });
  }
});

describe.concurrent('suites.messageChannel rejects a channel that', () => {
  for (const { defect, adapter, rejectedBy } of brokenChannels) {
    test(`${defect}, by '${rejectedBy}'`, async () => {
      await assertRejected(suites.messageChannel, adapter, rejectedBy);
    });
  }
});

describe.concurrent('suites.iteration rejects an iteration that', () => {
  for (const { defect, adapter, rejectedBy } of brokenIterations) {
    test(`${defect}, by '${rejectedBy}'`, async () => {
      await assertRejected(suites.iteration, adapter, rejectedBy);
    });
  }
});

describe('suites.waitable rejects a wait that', () => {
  for (const { defect, adapter, rejectedBy } of brokenWaits) {
    test(`${defect}, by '${rejectedBy}'`, async () => {
      // By itself where timers of the whole process, or milliseconds, count.
      const alone = ['nothing-left-behind', 'timed-out', 'sync'].includes(rejectedBy);
      const only = alone ? [rejectedBy] : undefined;
      await assertRejected(suites.waitable, adapter, rejectedBy, only && { only });
    });
  }
});
