import * as suite from '@octoipc/conformance';

import { input, lifecycle, resources, stream } from './adapter.js';

suite.describeByteStream(stream);
suite.describeResources(resources);
suite.describeBadInput(input);
suite.describeLifecycle(lifecycle);
