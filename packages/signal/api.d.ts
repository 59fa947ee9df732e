// @octoipc/signal

import { IpcErrorDetails, WaitOptions } from '@octoipc/core';

import { FdHandle, ResourceHandle } from '@octoipc/core/kit';

interface ProcessExit {
  readonly code: number | null;
  readonly signal: SignalName | null;
}

declare class ProcessHandle extends FdHandle {
  readonly pid: number;
  get exited(): Promise<ProcessExit | null>;
  get alive(): boolean;
  send(signal: Signal, options?: SendOptions): void;
  protected describe(): IpcErrorDetails;
}

declare const SIGRTMAX = 64;

declare const SIGRTMIN: number;

interface SendOptions {
  readonly value?: number | bigint | undefined;
}

type Signal = SignalName | number;

interface SignalInfo {
  readonly signal: SignalName;
  readonly number: number;
  readonly code: number;
  readonly codeName: string;
  readonly pid: number;
  readonly uid: number;
  readonly value?: number;
  readonly pointer: bigint | undefined;
  readonly status?: number;
  readonly coalesced: boolean;
  readonly timestamp: number;
  readonly command: string | null;
}

interface SignalListener extends Disposable {
  ref(): this;
  unref(): this;
  close(): void;
}

type SignalName =
  NodeJS.Signals | 'SIGRTMIN' | 'SIGRTMAX' | `SIGRTMIN+${number}` | `SIGRTMAX-${number}`;

declare class SignalWatcher extends ResourceHandle implements AsyncIterable<SignalInfo> {
  readonly signals: readonly string[];
  wait(options?: WaitOptions): Promise<SignalInfo>;
  tryWait(): SignalInfo | undefined;
  waitSync(options?: Pick<WaitOptions, 'timeout'>): SignalInfo;
  [Symbol.asyncIterator](): AsyncIterableIterator<SignalInfo>;
  ref(): this;
  unref(): this;
  close(): void;
  protected describe(): IpcErrorDetails;
}

interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly observe?: boolean | undefined;
}

declare function block(signals: Signal | readonly Signal[]): void;

declare function blocked(): SignalName[];

declare function exists(pid: number): boolean;

declare function ignore(signal: Signal): void;

declare function onSignal(signal: Signal, listener: (info: SignalInfo) => void): SignalListener;

declare function openProcess(pid: number): ProcessHandle;

declare function pending(): SignalName[];

declare function restoreDefault(signal: Signal): void;

declare function rt(n: number): number;

declare function send(target: number | ProcessHandle, signal: Signal, options?: SendOptions): void;

declare function sendGroup(pgid: number, signal: Signal, options?: SendOptions): void;

declare function sendThread(tgid: number, tid: number, signal: Signal, options?: SendOptions): void;

declare const signals: Readonly<Record<string, number>>;

declare function threadId(): number;

declare function unblock(signals: Signal | readonly Signal[]): void;

declare function wait(
  signals: Signal | readonly Signal[],
  options?: WaitOptions,
): Promise<SignalInfo>;

declare function waitSync(
  signals: Signal | readonly Signal[],
  options?: Pick<WaitOptions, 'timeout'>,
): SignalInfo;

declare function watch(signals: Signal | readonly Signal[], options?: WatchOptions): SignalWatcher;

export {
  type ProcessExit,
  ProcessHandle,
  SIGRTMAX,
  SIGRTMIN,
  type SendOptions,
  type Signal,
  type SignalInfo,
  type SignalListener,
  type SignalName,
  SignalWatcher,
  type WatchOptions,
  block,
  blocked,
  exists,
  ignore,
  onSignal,
  openProcess,
  pending,
  restoreDefault,
  rt,
  send,
  sendGroup,
  sendThread,
  signals,
  threadId,
  unblock,
  wait,
  waitSync,
  watch,
};
