import * as suite from '@octoipc/conformance';

import { input, lifecycle, resources, stream, waits } from './adapter.js';

suite.describeByteStream(stream);
suite.describeWaitable(waits);
suite.describeResources(resources);
suite.describeBadInput(input);
suite.describeLifecycle(lifecycle);
// No describeCrashSafety: its peers are children of child_process; pipe's are on the same ends as ours.
