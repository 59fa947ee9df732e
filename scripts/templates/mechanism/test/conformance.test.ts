import { describeWaitable } from '@octoipc/conformance';

import { open } from './waitable.js';

describeWaitable({
  name: '__Pascal__.wait()',
  mechanism: '__NAME__',
  lacks: { tokens: 'one count is like another' },
  open,
});
