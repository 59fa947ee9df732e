// @octoipc/socket

import { WaitOptions, IpcErrorDetails } from '@octoipc/core';

import { FdHandle } from '@octoipc/core/kit';

declare class Socket extends FdHandle {
  static create(options?: SocketOptions): Socket;
  notify(count?: number): void;
  wait(options?: WaitOptions): Promise<void>;
  tryWait(): boolean;
  waitSync(options?: { readonly timeout?: number | undefined }): void;
  protected describe(): IpcErrorDetails;
}

interface SocketOptions {
  readonly value?: number;
}

export { Socket, type SocketOptions };
