import * as suite from '@octoipc/conformance';

import { input, lifecycle, resources, stream, waits } from './adapter.js';
import { iterations } from './iterations.js';

suite.describeByteStream(stream);
suite.describeWaitable(waits);
suite.describeResources(resources);
suite.describeBadInput(input);
suite.describeLifecycle(lifecycle);
for (const each of iterations) suite.describeIteration(each);
// No describeCrashSafety: its peers are children of child_process; pipe's are on the same ends as ours.
