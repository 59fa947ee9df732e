// @octoipc/shm

import { WaitOptions, IpcErrorDetails } from '@octoipc/core';

import { FdHandle } from '@octoipc/core/kit';

declare class Shm extends FdHandle {
  static create(options?: ShmOptions): Shm;
  notify(count?: number): void;
  wait(options?: WaitOptions): Promise<void>;
  tryWait(): boolean;
  waitSync(options?: { readonly timeout?: number | undefined }): void;
  protected describe(): IpcErrorDetails;
}

interface ShmOptions {
  readonly value?: number;
}

export { Shm, type ShmOptions };
