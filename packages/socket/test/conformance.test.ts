import * as suite from '@octoipc/conformance';

import * as socket from './adapter.js';
import { iterations } from './iterations.js';
import { input } from './misuse.js';

for (const stream of [socket.stream, socket.tcp]) suite.describeByteStream(stream);
for (const channel of [socket.channel, socket.packets]) suite.describeMessageChannel(channel);
for (const waits of [socket.reads, socket.receives, socket.datagrams])
  suite.describeWaitable(waits);
suite.describeResources(socket.resources);
suite.describeBadInput(input);
suite.describeCrashSafety(socket.crashes);
suite.describeLifecycle(socket.lifecycle);
for (const each of iterations) suite.describeIteration(each);
