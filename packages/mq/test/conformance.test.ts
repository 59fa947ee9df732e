import * as suite from '@octoipc/conformance';

import * as posix from './posix-adapter.js';
import * as sysv from './sysv-adapter.js';

for (const kind of [posix, sysv]) {
  suite.describeMessageChannel(kind.channel);
  suite.describeNamedObject(kind.names as never);
  for (const waitable of [kind.receives, kind.sends]) suite.describeWaitable(waitable);
  suite.describeResources(kind.resources);
  suite.describeBadInput(kind.input);
  suite.describeCrashSafety(kind.crashes);
  suite.describeLifecycle(kind.lifecycle);
}
suite.describeWaitable(sysv.empties);
