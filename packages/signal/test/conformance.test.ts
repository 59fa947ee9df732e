import { describeWaitable } from '@octoipc/conformance';

import { open } from './waitable.js';

describeWaitable({
  name: 'Signal.wait()',
  mechanism: 'SIGNAL',
  lacks: { tokens: 'one count is like another' },
  open,
});
