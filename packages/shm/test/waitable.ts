import type { Waitable } from '@octoipc/conformance';
import { Shm } from '@octoipc/shm';

/** A counter as what the conformance suite waits for. */
export function open(): Waitable {
  const handle = Shm.create();
  return {
    handle,
    wait: (options) => handle.wait(options),
    tryTake: () => handle.tryWait() || undefined,
    waitSync: (options) => handle.waitSync(options),
    give: () => handle.notify(),
    close: () => handle.close(),
  };
}
