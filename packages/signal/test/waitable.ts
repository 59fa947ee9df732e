import type { Waitable } from '@octoipc/conformance';
import { Signal } from '@octoipc/signal';

/** A counter as what the conformance suite waits for. */
export function open(): Waitable {
  const handle = Signal.create();
  return {
    handle,
    wait: (options) => handle.wait(options),
    tryTake: () => handle.tryWait() || undefined,
    waitSync: (options) => handle.waitSync(options),
    give: () => handle.notify(),
    close: () => handle.close(),
  };
}
