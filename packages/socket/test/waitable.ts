import type { Waitable } from '@octoipc/conformance';
import { Socket } from '@octoipc/socket';

/** A counter as what the conformance suite waits for. */
export function open(): Waitable {
  const handle = Socket.create();
  return {
    handle,
    wait: (options) => handle.wait(options),
    tryTake: () => handle.tryWait() || undefined,
    waitSync: (options) => handle.waitSync(options),
    give: () => handle.notify(),
    close: () => handle.close(),
  };
}
