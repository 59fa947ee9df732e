import * as suite from '@octoipc/conformance';

import * as posix from './posix-adapter.js';
import * as ring from './ring-adapter.js';
import * as sysv from './sysv-adapter.js';

for (const kind of [posix, sysv]) {
  suite.describeWaitable(kind.waits);
  suite.describeNamedObject(kind.names as never);
  suite.describeResources(kind.resources);
  suite.describeBadInput(kind.input);
  suite.describeLifecycle(kind.lifecycle);
}
suite.describeMessageChannel(ring.channel);
suite.describeCrashSafety(ring.crashes);
suite.describeResources(ring.resources);
for (const waitable of ring.waits) suite.describeWaitable(waitable);
for (const lifecycle of ring.lifecycles) suite.describeLifecycle(lifecycle);
