import * as suite from '@octoipc/conformance';

import * as mutex from './mutex-adapter.js';
import * as posix from './posix-adapter.js';

for (const kind of [posix, mutex]) {
  suite.describeWaitable(kind.waits);
  suite.describeNamedObject(kind.names as never);
  suite.describeLock(kind.lock);
  suite.describeResources(kind.resources);
  suite.describeBadInput(kind.input);
  suite.describeLifecycle(kind.lifecycle);
}
