import { describeWaitable } from '@octoipc/conformance';

import { open } from './waitable.js';

describeWaitable({
  name: 'Socket.wait()',
  mechanism: 'SOCKET',
  lacks: { tokens: 'one count is like another' },
  open,
});
