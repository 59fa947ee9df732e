import { rmSync } from 'node:fs';

import { afterAll, vi } from 'vitest';

import * as suite from '../src/index.js';
import * as subject from './subjects/adapters.js';

// The suites are tested here, not these subjects: fewer workers will do.
vi.hoisted(() => {
  process.env['OCTOIPC_QUICK'] = '1';
});

const folder = subject.makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));

// Subjects of nothing but Node, which every suite must accept.
suite.describeByteStream(subject.stream);
suite.describeMessageChannel(subject.channel);
suite.describeWaitable(subject.waitable);
suite.describeIteration(subject.iteration);
suite.describeResources(subject.resources);
suite.describeBadInput(subject.input);
suite.describeNamedObject(subject.named);
suite.describeLock(subject.lock);
suite.describeCrashSafety(subject.crashes);
suite.describeCrashSafety(subject.persistentCrashes);
suite.describeLifecycle(subject.lifecycle);
