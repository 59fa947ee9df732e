// @octoipc/signal

import { WaitOptions, IpcErrorDetails } from '@octoipc/core';

import { FdHandle } from '@octoipc/core/kit';

declare class Signal extends FdHandle {
  static create(options?: SignalOptions): Signal;
  notify(count?: number): void;
  wait(options?: WaitOptions): Promise<void>;
  tryWait(): boolean;
  waitSync(options?: { readonly timeout?: number | undefined }): void;
  protected describe(): IpcErrorDetails;
}

interface SignalOptions {
  readonly value?: number;
}

export { Signal, type SignalOptions };
