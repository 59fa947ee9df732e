// @octoipc/conformance

import { ByteReader, ByteWriter, WaitOptions, Receiver, Sender, Closable } from '@octoipc/core';

import { ChildProcess } from 'node:child_process';

interface Adapter<Trait extends string = string> {
  readonly name: string;
  readonly mechanism: string | readonly string[];
  readonly lacks?: {
    readonly [trait in Trait]?: string;
  };
}

interface BadInputAdapter extends Adapter<BadInputTrait> {
  open(): BadInputSubject | Promise<BadInputSubject>;
}

interface BadInputSubject {
  readonly numbers?: Readonly<Record<string, Call | NumberParameter>>;
  readonly options?: Readonly<Record<string, Call>>;
  readonly waits?: Readonly<Record<string, Call>>;
  readonly data?: Readonly<Record<string, Call>>;
  readonly names?: Readonly<Record<string, Call>>;
  readonly methods?: readonly {
    readonly of: object;
    readonly names: readonly PropertyKey[];
  }[];
  state?(): unknown;
  close(): void;
}

type BadInputTrait = 'numbers' | 'options' | 'data' | 'names' | 'methods';

interface ByteStreamAdapter extends Adapter<ByteStreamTrait> {
  open(): StreamEnds | Promise<StreamEnds>;
  readonly atomicSize?: number;
}

type ByteStreamTrait =
  'end' | 'brokenPipe' | 'bounded' | 'atomic' | 'sync' | 'iteration' | 'readAll' | 'lines';

type Call = (value: never) => unknown;

interface ChannelEnds {
  readonly sender: Sender;
  readonly receiver: Receiver;
}

interface CrashSafetyAdapter extends ScriptedAdapter<CrashSafetyTrait> {
  readonly startWriter?: Start<{
    reader: ByteReader;
  }>;
  readonly startReader?: Start<{
    writer: ByteWriter;
  }>;
  readonly startSender?: Start<{
    receiver: Receiver;
  }>;
  readonly startReceiver?: Start<{
    sender: Sender;
    another?: () => Receiver | Promise<Receiver>;
  }>;
  leftovers?(): readonly string[];
}

type CrashSafetyTrait = 'bytes' | 'messages' | 'end' | 'brokenPipe' | 'bounded' | 'persistent';

interface Held {
  release(): void;
  readonly recovered?: unknown;
}

interface Iterated {
  iterate(): AsyncIterator<unknown>;
  readonly handle: {
    readonly closed: boolean;
    close(): void;
  };
  give(token: number): Promise<void> | void;
  token(item: never): unknown;
  close(): void;
}

interface IterationAdapter extends Adapter<IterationTrait> {
  open(): Iterated | Promise<Iterated>;
}

type IterationTrait = 'tokens' | 'several';

interface LifecycleAdapter extends ScriptedAdapter<LifecycleTrait> {}

type LifecycleTrait = 'workers' | 'sync';

interface Lock extends Pick<Closable, 'close'> {
  lock(options?: WaitOptions): Promise<Held>;
  tryLock(): Held | null;
  lockSync?(options?: Pick<WaitOptions, 'timeout'>): Held;
  withLock?<T>(run: () => T | Promise<T>): Promise<T>;
}

interface LockAdapter extends ScriptedAdapter<LockTrait> {
  freshName(): string;
  open(name: string): Lock | Promise<Lock>;
  remove(name: string): void;
}

type LockTrait = 'sync' | 'withLock' | 'recovery';

interface MessageChannelAdapter extends Adapter<MessageChannelTrait> {
  open(): ChannelEnds | Promise<ChannelEnds>;
}

type MessageChannelTrait = 'end' | 'brokenPipe' | 'bounded' | 'emptyMessages' | 'priorities';

interface NamedObjectAdapter<
  H extends Closable = Closable,
> extends ScriptedAdapter<NamedObjectTrait> {
  freshName(): string;
  open(name: string, options?: NamedOptions): H;
  unlink(name: string): void;
  list(): readonly string[];
  mode?(name: string): number;
  mark?(handle: H, value: number): void;
  marked?(handle: H): number;
  reap?(): void;
  readonly maxNameLength?: number;
}

type NamedObjectTrait =
  'posixNames' | 'modes' | 'content' | 'persistent' | 'unlinkedLives' | 'temporary' | 'reap';

interface NamedOptions {
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly temporary?: boolean;
  readonly mode?: number;
}

interface NumberParameter {
  readonly call: Call;
  accepts(value: number): boolean;
}

interface Opened {
  readonly handles: readonly Closable[];
  use(): Promise<void> | void;
}

interface ResourcesAdapter extends ScriptedAdapter<ResourcesTrait> {
  open(): Opened | Promise<Opened>;
  readonly failures?: Readonly<Record<string, () => unknown>>;
  readonly dropped?: number;
}

type ResourcesTrait = 'descriptors' | 'leakWarning' | 'failures';

interface ScriptedAdapter<Trait extends string = string> extends Adapter<Trait> {
  readonly script: string | URL;
}

type Start<End> = (args: string[]) => Promise<
  {
    child: ChildProcess;
  } & End
>;

interface StreamEnds {
  readonly reader: StreamReader;
  readonly writer: StreamWriter;
}

interface StreamReader extends ByteReader {
  readSync?(options?: { readonly timeout?: number; readonly maxBytes?: number }): Buffer | null;
  readAll?(options?: { readonly maxBytes?: number }): Promise<Buffer>;
  lines?(): AsyncIterable<string>;
  [Symbol.asyncIterator]?(): AsyncIterator<Buffer>;
}

interface StreamWriter extends ByteWriter {
  writeSync?(data: Uint8Array, options?: Pick<WaitOptions, 'timeout'>): void;
}

interface Waitable {
  readonly handle: Closable & {
    ref(): unknown;
    unref(): unknown;
  };
  wait(options?: WaitOptions): Promise<unknown>;
  tryTake(): unknown;
  waitSync?(options?: Pick<WaitOptions, 'timeout'>): unknown;
  give(token: number): Promise<void> | void;
  close(): void;
}

interface WaitableAdapter extends Adapter<WaitableTrait> {
  open(): Waitable | Promise<Waitable>;
}

type WaitableTrait = 'tokens' | 'sync';

declare function describeBadInput(adapter: BadInputAdapter): void;

declare function describeByteStream(adapter: ByteStreamAdapter): void;

declare function describeCrashSafety(adapter: CrashSafetyAdapter): void;

declare function describeIteration(adapter: IterationAdapter): void;

declare function describeLifecycle(adapter: LifecycleAdapter): void;

declare function describeLock(adapter: LockAdapter): void;

declare function describeMessageChannel(adapter: MessageChannelAdapter): void;

declare function describeNamedObject<H extends Closable>(adapter: NamedObjectAdapter<H>): void;

declare function describeResources(adapter: ResourcesAdapter): void;

declare function describeWaitable(adapter: WaitableAdapter): void;

export {
  type Adapter,
  type BadInputAdapter,
  type BadInputSubject,
  type BadInputTrait,
  type ByteStreamAdapter,
  type ByteStreamTrait,
  type Call,
  type ChannelEnds,
  type CrashSafetyAdapter,
  type CrashSafetyTrait,
  type Held,
  type Iterated,
  type IterationAdapter,
  type IterationTrait,
  type LifecycleAdapter,
  type LifecycleTrait,
  type Lock,
  type LockAdapter,
  type LockTrait,
  type MessageChannelAdapter,
  type MessageChannelTrait,
  type NamedObjectAdapter,
  type NamedObjectTrait,
  type NamedOptions,
  type NumberParameter,
  type Opened,
  type ResourcesAdapter,
  type ResourcesTrait,
  type ScriptedAdapter,
  type StreamEnds,
  type StreamReader,
  type StreamWriter,
  type Waitable,
  type WaitableAdapter,
  type WaitableTrait,
  describeBadInput,
  describeByteStream,
  describeCrashSafety,
  describeIteration,
  describeLifecycle,
  describeLock,
  describeMessageChannel,
  describeNamedObject,
  describeResources,
  describeWaitable,
};

// @octoipc/conformance/roles

import { Closable, WaitOptions, ByteWriter, ByteReader, Sender, Receiver } from '@octoipc/core';

interface Actors {
  waitable?(): Waitable | Promise<Waitable>;
  atOnce?: number;
  writer?(): ByteWriter | Promise<ByteWriter>;
  reader?(): ByteReader | Promise<ByteReader>;
  sender?(): Sender | Promise<Sender>;
  receiver?(): Receiver | Promise<Receiver>;
  named?(name: string, options: NamedOptions): Closable;
  lock?(name: string): Lock | Promise<Lock>;
}

interface Held {
  release(): void;
  readonly recovered?: unknown;
}

interface Lock extends Pick<Closable, 'close'> {
  lock(options?: WaitOptions): Promise<Held>;
  tryLock(): Held | null;
  lockSync?(options?: Pick<WaitOptions, 'timeout'>): Held;
  withLock?<T>(run: () => T | Promise<T>): Promise<T>;
}

interface NamedOptions {
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly temporary?: boolean;
  readonly mode?: number;
}

interface Waitable {
  readonly handle: Closable & {
    ref(): unknown;
    unref(): unknown;
  };
  wait(options?: WaitOptions): Promise<unknown>;
  tryTake(): unknown;
  waitSync?(options?: Pick<WaitOptions, 'timeout'>): unknown;
  give(token: number): Promise<void> | void;
  close(): void;
}

declare function playRoles(actors: Actors): Promise<void>;

export { type Actors, playRoles };

// @octoipc/conformance/suites

import { ByteReader, ByteWriter, WaitOptions, Receiver, Sender, Closable } from '@octoipc/core';

import { ChildProcess } from 'node:child_process';

interface Adapter<Trait extends string = string> {
  readonly name: string;
  readonly mechanism: string | readonly string[];
  readonly lacks?: {
    readonly [trait in Trait]?: string;
  };
}

interface BadInputAdapter extends Adapter<BadInputTrait> {
  open(): BadInputSubject | Promise<BadInputSubject>;
}

interface BadInputSubject {
  readonly numbers?: Readonly<Record<string, Call | NumberParameter>>;
  readonly options?: Readonly<Record<string, Call>>;
  readonly waits?: Readonly<Record<string, Call>>;
  readonly data?: Readonly<Record<string, Call>>;
  readonly names?: Readonly<Record<string, Call>>;
  readonly methods?: readonly {
    readonly of: object;
    readonly names: readonly PropertyKey[];
  }[];
  state?(): unknown;
  close(): void;
}

type BadInputTrait = 'numbers' | 'options' | 'data' | 'names' | 'methods';

interface ByteStreamAdapter extends Adapter<ByteStreamTrait> {
  open(): StreamEnds | Promise<StreamEnds>;
  readonly atomicSize?: number;
}

type ByteStreamTrait =
  'end' | 'brokenPipe' | 'bounded' | 'atomic' | 'sync' | 'iteration' | 'readAll' | 'lines';

type Call = (value: never) => unknown;

interface Case<A extends Adapter> {
  readonly key: string;
  readonly ids: string;
  readonly promise: string;
  readonly needs?: readonly TraitOf<A>[];
  readonly watchdog?: number;
  run(adapter: A, scope: Scope): Promise<void> | void;
}

interface CaseReport {
  readonly key: string;
  readonly status: 'passed' | 'failed' | 'not applicable';
  readonly error?: unknown;
  readonly reason?: string;
}

interface ChannelEnds {
  readonly sender: Sender;
  readonly receiver: Receiver;
}

interface CrashSafetyAdapter extends ScriptedAdapter<CrashSafetyTrait> {
  readonly startWriter?: Start<{
    reader: ByteReader;
  }>;
  readonly startReader?: Start<{
    writer: ByteWriter;
  }>;
  readonly startSender?: Start<{
    receiver: Receiver;
  }>;
  readonly startReceiver?: Start<{
    sender: Sender;
    another?: () => Receiver | Promise<Receiver>;
  }>;
  leftovers?(): readonly string[];
}

type CrashSafetyTrait = 'bytes' | 'messages' | 'end' | 'brokenPipe' | 'bounded' | 'persistent';

interface Held {
  release(): void;
  readonly recovered?: unknown;
}

interface Iterated {
  iterate(): AsyncIterator<unknown>;
  readonly handle: {
    readonly closed: boolean;
    close(): void;
  };
  give(token: number): Promise<void> | void;
  token(item: never): unknown;
  close(): void;
}

interface IterationAdapter extends Adapter<IterationTrait> {
  open(): Iterated | Promise<Iterated>;
}

type IterationTrait = 'tokens' | 'several';

interface LifecycleAdapter extends ScriptedAdapter<LifecycleTrait> {}

type LifecycleTrait = 'workers' | 'sync';

interface Lock extends Pick<Closable, 'close'> {
  lock(options?: WaitOptions): Promise<Held>;
  tryLock(): Held | null;
  lockSync?(options?: Pick<WaitOptions, 'timeout'>): Held;
  withLock?<T>(run: () => T | Promise<T>): Promise<T>;
}

interface LockAdapter extends ScriptedAdapter<LockTrait> {
  freshName(): string;
  open(name: string): Lock | Promise<Lock>;
  remove(name: string): void;
}

type LockTrait = 'sync' | 'withLock' | 'recovery';

interface MessageChannelAdapter extends Adapter<MessageChannelTrait> {
  open(): ChannelEnds | Promise<ChannelEnds>;
}

type MessageChannelTrait = 'end' | 'brokenPipe' | 'bounded' | 'emptyMessages' | 'priorities';

interface NamedObjectAdapter<
  H extends Closable = Closable,
> extends ScriptedAdapter<NamedObjectTrait> {
  freshName(): string;
  open(name: string, options?: NamedOptions): H;
  unlink(name: string): void;
  list(): readonly string[];
  mode?(name: string): number;
  mark?(handle: H, value: number): void;
  marked?(handle: H): number;
  reap?(): void;
  readonly maxNameLength?: number;
}

type NamedObjectTrait =
  'posixNames' | 'modes' | 'content' | 'persistent' | 'unlinkedLives' | 'temporary' | 'reap';

interface NamedOptions {
  readonly create?: boolean;
  readonly exclusive?: boolean;
  readonly temporary?: boolean;
  readonly mode?: number;
}

interface NumberParameter {
  readonly call: Call;
  accepts(value: number): boolean;
}

interface Opened {
  readonly handles: readonly Closable[];
  use(): Promise<void> | void;
}

interface ResourcesAdapter extends ScriptedAdapter<ResourcesTrait> {
  open(): Opened | Promise<Opened>;
  readonly failures?: Readonly<Record<string, () => unknown>>;
  readonly dropped?: number;
}

type ResourcesTrait = 'descriptors' | 'leakWarning' | 'failures';

declare class Scope {
  use<
    T extends {
      close(): unknown;
    },
  >(closable: T): T;
  defer(release: () => unknown): void;
  release(): Promise<void>;
}

interface ScriptedAdapter<Trait extends string = string> extends Adapter<Trait> {
  readonly script: string | URL;
}

type Start<End> = (args: string[]) => Promise<
  {
    child: ChildProcess;
  } & End
>;

interface StreamEnds {
  readonly reader: StreamReader;
  readonly writer: StreamWriter;
}

interface StreamReader extends ByteReader {
  readSync?(options?: { readonly timeout?: number; readonly maxBytes?: number }): Buffer | null;
  readAll?(options?: { readonly maxBytes?: number }): Promise<Buffer>;
  lines?(): AsyncIterable<string>;
  [Symbol.asyncIterator]?(): AsyncIterator<Buffer>;
}

interface StreamWriter extends ByteWriter {
  writeSync?(data: Uint8Array, options?: Pick<WaitOptions, 'timeout'>): void;
}

interface Suite<A extends Adapter> {
  readonly trait: string;
  readonly cases: readonly Case<A>[];
}

type TraitOf<A extends Adapter> = A extends Adapter<infer Trait> ? Trait : never;

interface Waitable {
  readonly handle: Closable & {
    ref(): unknown;
    unref(): unknown;
  };
  wait(options?: WaitOptions): Promise<unknown>;
  tryTake(): unknown;
  waitSync?(options?: Pick<WaitOptions, 'timeout'>): unknown;
  give(token: number): Promise<void> | void;
  close(): void;
}

interface WaitableAdapter extends Adapter<WaitableTrait> {
  open(): Waitable | Promise<Waitable>;
}

type WaitableTrait = 'tokens' | 'sync';

declare function lacking(adapter: Adapter, needs?: readonly string[]): string | undefined;

declare function runCase<A extends Adapter>(
  suiteCase: Case<A>,
  adapter: A,
  watchdog?: number,
): Promise<void>;

declare function runSuite<A extends Adapter>(
  suite: Suite<A>,
  adapter: A,
  options?: {
    readonly watchdog?: number;
    readonly only?: readonly string[];
  },
): Promise<CaseReport[]>;

declare const suites: {
  readonly badInput: Suite<BadInputAdapter>;
  readonly byteStream: Suite<ByteStreamAdapter>;
  readonly crashSafety: Suite<CrashSafetyAdapter>;
  readonly iteration: Suite<IterationAdapter>;
  readonly lifecycle: Suite<LifecycleAdapter>;
  readonly lock: Suite<LockAdapter>;
  readonly messageChannel: Suite<MessageChannelAdapter>;
  readonly namedObject: Suite<NamedObjectAdapter>;
  readonly resources: Suite<ResourcesAdapter>;
  readonly waitable: Suite<WaitableAdapter>;
};

declare function titleOf(adapter: Adapter, ids: string, promise: string): string;

export {
  type Case,
  type CaseReport,
  Scope,
  type Suite,
  type TraitOf,
  lacking,
  runCase,
  runSuite,
  suites,
  titleOf,
};
