import * as suite from '@octoipc/conformance';

import { iterations } from './iterations.js';
import * as posix from './posix-adapter.js';
import * as ring from './ring-adapter.js';
import * as sysv from './sysv-adapter.js';

suite.describeMessageChannel(ring.channel);
suite.describeCrashSafety(ring.crashes);
for (const kind of [posix, sysv]) suite.describeNamedObject(kind.names as never);
for (const { input } of [posix, sysv]) suite.describeBadInput(input);
for (const { resources } of [posix, sysv, ring]) suite.describeResources(resources);
for (const each of [posix.waits, sysv.waits, ...ring.waits]) suite.describeWaitable(each);
for (const each of [posix, sysv, ...ring.kinds]) suite.describeLifecycle(each.lifecycle);
for (const each of iterations) suite.describeIteration(each);
