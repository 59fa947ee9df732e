import type { WaitOptions } from '@octoipc/core';

import type { FdSource } from './fds.js';

/** What `Datagram.bind` takes. */
export interface DatagramBindOptions {
  /** The permission bits of a path; who may write may send. @default 0o600 */
  readonly mode?: number;
  /** Take over the path of a socket that is gone, as `listen` does. @default false */
  readonly reclaim?: boolean;
}

/** What `Datagram.send` takes. */
export interface DatagramSendOptions extends WaitOptions {
  /** Descriptors that go with it; yours stay open. */
  readonly fds?: readonly FdSource[];
}

/** What `Datagram.receive` takes. */
export interface DatagramReceiveOptions extends WaitOptions {
  /** Of a longer datagram the rest is dropped, and `truncated` says so. @default 1048576 (1 MiB) */
  readonly maxBytes?: number;
  /** More descriptors than this are closed, and reported. @default 253, as many as one has */
  readonly maxFds?: number;
}
