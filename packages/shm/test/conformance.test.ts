import { describeWaitable } from '@octoipc/conformance';

import { open } from './waitable.js';

describeWaitable({
  name: 'Shm.wait()',
  mechanism: 'SHM',
  lacks: { tokens: 'one count is like another' },
  open,
});
