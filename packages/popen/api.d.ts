// @octoipc/popen

import { IpcErrorDetails, Bytes, WaitOptions } from '@octoipc/core';

import { FdHandle, IpcError } from '@octoipc/core/kit';

import { Duplex } from 'node:stream';

import { PipeWriter, PipeReader, LinesOptions } from '@octoipc/pipe';

declare class ChildHandle extends FdHandle {
  readonly pid: number;
  get status(): ExitStatus | null;
  ref(): this;
  unref(): this;
  close(): void;
  release(): number;
  protected describe(): IpcErrorDetails;
}

type Command = string | ShellLine | readonly [file: string, ...args: string[]];

type DescriptorLike =
  | number
  | {
      readonly fd: number;
    };

interface ExitStatus {
  readonly code: number | null;
  readonly signal: SignalName | null;
  readonly ok: boolean;
  readonly timedOut: boolean;
  readonly resourceUsage: ResourceUsage;
}

interface KillOptions {
  readonly after?: number | undefined;
}

type LimitName = keyof typeof RESOURCES;

type LimitValue =
  | number
  | {
      readonly soft?: number;
      readonly hard?: number;
    };

type Limits = {
  readonly [name in LimitName]?: LimitValue;
};

type Mode = 'r' | 'w' | 'r+';

declare class Pipeline<M extends Mode = Mode> implements AsyncIterable<Buffer> {
  readonly processes: readonly Process[];
  readonly exited: Promise<PipelineStatus>;
  get stdin(): M extends 'r' ? null : PipeWriter;
  get stdout(): M extends 'w' ? null : PipeReader;
  get statuses(): readonly (ExitStatus | null)[];
  get ok(): boolean;
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
  json(): Promise<unknown>;
  lines(options?: LinesOptions): AsyncIterableIterator<string>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  write(data: Bytes, options?: WaitOptions): Promise<void>;
  end(data?: Bytes): Promise<void>;
  close(options?: WaitOptions): Promise<PipelineStatus>;
  kill(signal?: SignalName | number, options?: KillOptions): boolean;
  ref(): this;
  unref(): this;
  toDuplex(): Duplex;
  [Symbol.asyncDispose](): Promise<void>;
}

interface PipelineOptions extends PopenOptions {
  readonly allowSigpipe?: boolean | undefined;
}

interface PipelineStatus {
  readonly ok: boolean;
  readonly timedOut: boolean;
  readonly statuses: readonly ExitStatus[];
}

interface PopenOptions extends StartOptions {
  readonly stderr?: 'inherit' | 'pipe' | 'ignore' | 'stdout' | undefined;
}

interface PopenSyncOptions extends Omit<PopenOptions, 'signal' | 'stderr'> {
  readonly input?: Bytes | undefined;
  readonly stderr?: PopenOptions['stderr'];
}

interface PopenSyncResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly status: ExitStatus;
}

declare class Process<M extends Mode = Mode> implements AsyncIterable<Buffer> {
  get handle(): ChildHandle;
  get exited(): Promise<ExitStatus>;
  get pid(): number;
  get stdin(): M extends 'r' ? null : PipeWriter;
  get stdout(): M extends 'w' ? null : PipeReader;
  get stderr(): PipeReader | null;
  get status(): ExitStatus | null;
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
  json(): Promise<unknown>;
  lines(options?: LinesOptions): AsyncIterableIterator<string>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  write(data: Bytes, options?: WaitOptions): Promise<void>;
  end(data?: Bytes): Promise<void>;
  close(options?: WaitOptions): Promise<ExitStatus>;
  kill(signal?: SignalName | number, options?: KillOptions): boolean;
  ref(): this;
  unref(): this;
  toDuplex(): Duplex;
  [Symbol.asyncDispose](): Promise<void>;
}

interface ProcessFailure extends IpcError {
  readonly status: ExitStatus | null;
  readonly stdout?: Buffer;
  readonly stderr?: string;
}

declare const RESOURCES: {
  readonly cpu: 0;
  readonly fsize: 1;
  readonly data: 2;
  readonly stack: 3;
  readonly core: 4;
  readonly nproc: 6;
  readonly nofile: 7;
  readonly memlock: 8;
  readonly as: 9;
  readonly locks: 10;
  readonly sigpending: 11;
  readonly msgqueue: 12;
  readonly nice: 13;
  readonly rtprio: 14;
  readonly rttime: 15;
};

interface ResourceUsage {
  readonly userTime: number;
  readonly systemTime: number;
  readonly maxResidentSize: number;
  readonly minorPageFaults: number;
  readonly majorPageFaults: number;
  readonly blockInputs: number;
  readonly blockOutputs: number;
  readonly voluntaryContextSwitches: number;
  readonly involuntaryContextSwitches: number;
}

declare class ShellCommand extends ShellLine implements AsyncIterable<Buffer> {
  start<const M extends Mode = 'r'>(mode?: M, options?: PopenOptions): Process<M>;
  bytes(options?: PopenOptions): Promise<Buffer>;
  text(options?: PopenOptions): Promise<string>;
  json(options?: PopenOptions): Promise<unknown>;
  lines(options?: PopenOptions & LinesOptions): AsyncIterableIterator<string>;
  run(options?: PopenOptions): Promise<ExitStatus>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
}

declare class ShellLine {
  constructor(line: string);
  toString(): string;
}

type SignalName =
  NodeJS.Signals | 'SIGRTMIN' | 'SIGRTMAX' | `SIGRTMIN+${number}` | `SIGRTMAX-${number}`;

interface StartOptions {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly fds?: Readonly<Record<number, DescriptorLike>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
  readonly killSignal?: SignalName | number | undefined;
  readonly killAfter?: number | undefined;
  readonly check?: boolean | undefined;
  readonly group?: boolean | undefined;
  readonly dieWithParent?: boolean | undefined;
  readonly limits?: Limits | undefined;
  readonly nice?: number | undefined;
  readonly maxBuffer?: number | undefined;
}

type Word = string | number | bigint | readonly (string | number | bigint)[];

declare function pipeline<const M extends Mode = 'r'>(
  commands: readonly Command[],
  mode?: M,
  options?: PipelineOptions,
): Pipeline<M>;

declare const popen: typeof start & {
  readonly sh: typeof sh;
};

declare function popenSync(command: Command, options?: PopenSyncOptions): PopenSyncResult;

declare function sh(strings: TemplateStringsArray, ...values: readonly Word[]): ShellCommand;

declare function start<const M extends Mode = 'r'>(
  command: Command,
  mode?: M,
  options?: PopenOptions,
): Process<M>;

export {
  ChildHandle,
  type Command,
  type DescriptorLike,
  type ExitStatus,
  type KillOptions,
  type LimitName,
  type LimitValue,
  type Limits,
  type Mode,
  Pipeline,
  type PipelineOptions,
  type PipelineStatus,
  type PopenOptions,
  type PopenSyncOptions,
  type PopenSyncResult,
  Process,
  type ProcessFailure,
  type ResourceUsage,
  ShellCommand,
  type SignalName,
  type StartOptions,
  type Word,
  pipeline,
  popen,
  popenSync,
};
