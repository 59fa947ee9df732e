import { describeWaitable } from '@octoipc/conformance';
import { __Pascal__ } from '@octoipc/__name__';

describeWaitable({
  name: '__Pascal__.wait()',
  mechanism: '__NAME__',
  lacks: { tokens: 'one count is like another' },
  open() {
    const handle = __Pascal__.create();
    const wait = handle.wait.bind(handle);
    const tryTake = () => handle.tryWait() || undefined;
    const waitSync = handle.waitSync.bind(handle);
    return {
      handle,
      wait,
      tryTake,
      waitSync,
      give: () => handle.notify(),
      close: () => handle.close(),
    };
  },
});
