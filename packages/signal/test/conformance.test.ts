import * as suite from '@octoipc/conformance';

import { input, lifecycle, processes, watchers, watches } from './adapter.js';
import { iterations } from './iterations.js';

suite.describeWaitable(watches);
suite.describeResources(watchers);
suite.describeResources(processes);
suite.describeBadInput(input);
suite.describeLifecycle(lifecycle);
for (const each of iterations) suite.describeIteration(each);
