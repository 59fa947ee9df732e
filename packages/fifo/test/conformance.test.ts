import * as suite from '@octoipc/conformance';

import * as fifo from './adapter.js';
import { iterations } from './iterations.js';
import { input } from './misuse.js';

for (const stream of [fifo.stream, fifo.lasting]) suite.describeByteStream(stream);
for (const channel of [fifo.channel, fifo.shared]) suite.describeMessageChannel(channel);
for (const reads of [fifo.reads, fifo.lastingReads]) suite.describeWaitable(reads);
suite.describeNamedObject(fifo.names);
suite.describeResources(fifo.resources);
suite.describeBadInput(input);
suite.describeCrashSafety(fifo.crashes);
suite.describeLifecycle(fifo.lifecycle);
for (const each of iterations) suite.describeIteration(each);
