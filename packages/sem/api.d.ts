// @octoipc/sem

import { WaitOptions, IpcErrorDetails } from '@octoipc/core';

import { FdHandle } from '@octoipc/core/kit';

declare class Sem extends FdHandle {
  static create(options?: SemOptions): Sem;
  notify(count?: number): void;
  wait(options?: WaitOptions): Promise<void>;
  tryWait(): boolean;
  waitSync(options?: { readonly timeout?: number | undefined }): void;
  protected describe(): IpcErrorDetails;
}

interface SemOptions {
  readonly value?: number;
}

export { Sem, type SemOptions };
