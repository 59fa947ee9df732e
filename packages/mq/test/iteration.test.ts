import { describeIteration } from '@octoipc/conformance';

import { iterations } from './iterations.js';

for (const each of iterations) describeIteration(each);
