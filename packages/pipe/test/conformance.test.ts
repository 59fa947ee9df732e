import * as suite from '@octoipc/conformance';

import { channel, crashes, input, lifecycle, reads, resources, stream, writes } from './adapter.js';
import { iterations } from './iterations.js';

suite.describeByteStream(stream);
suite.describeMessageChannel(channel);
suite.describeWaitable(reads);
suite.describeWaitable(writes);
suite.describeResources(resources);
suite.describeBadInput(input);
suite.describeCrashSafety(crashes);
suite.describeLifecycle(lifecycle);
for (const each of iterations) suite.describeIteration(each);
