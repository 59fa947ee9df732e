import type { IterationAdapter } from '@octoipc/conformance';
import { rt, send, watch } from '@octoipc/signal';

let next = 0;

/** What one iterates over here. */
export const iterations: readonly IterationAdapter[] = [
  {
    name: 'SignalWatcher',
    mechanism: 'SIG',
    open() {
      const signal = rt(next++ % 20);
      const watcher = watch(signal);
      return {
        iterate: () => watcher[Symbol.asyncIterator](),
        handle: watcher,
        give: (token) => send(process.pid, signal, { value: token }),
        token: ({ value }: { value: number }) => value,
        close: () => watcher.close(),
      };
    },
  },
];
