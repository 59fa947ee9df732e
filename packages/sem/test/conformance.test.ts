import * as suite from '@octoipc/conformance';

import * as mutex from './mutex-adapter.js';
import * as posix from './posix-adapter.js';
import * as rw from './rw-adapter.js';
import * as sysv from './sysv-adapter.js';

for (const kind of [posix, sysv, mutex, rw]) {
  suite.describeWaitable(kind.waits);
  suite.describeNamedObject(kind.names as never);
  suite.describeLock(kind.lock);
  suite.describeLifecycle(kind.lifecycle);
  suite.describeResources(kind.resources);
  suite.describeBadInput(kind.input);
}
