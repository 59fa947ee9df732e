// @octoipc/core

interface ByteReader extends Closable {
  read(options?: WaitOptions & ReadTarget): Promise<Buffer | null>;
  tryRead(options?: ReadTarget): Buffer | null | undefined;
  ref?(): unknown;
  unref?(): unknown;
}

interface ByteWriter extends Closable {
  write(data: Bytes, options?: WaitOptions): Promise<void>;
  tryWrite(data: Bytes): number;
  ref?(): unknown;
  unref?(): unknown;
}

type Bytes = Uint8Array | string;

interface Capabilities {
  readonly platform: NodeJS.Platform;
  readonly kernel: string;
  readonly libc: string | null;
  readonly container: string | null;
  readonly entries: readonly Capability[];
}

interface Capability {
  readonly name: string;
  readonly available: boolean;
  readonly value?: number | string;
  readonly remedy?: string;
}

interface ChannelTraits {
  readonly mechanism: string;
  readonly boundaries: 'kernel' | 'frames';
  readonly priorities: boolean;
  readonly persistent: boolean;
  readonly multipleSenders: boolean;
  readonly multipleReceivers: boolean;
  readonly maxMessageSize: number;
  readonly crossMachine: boolean;
}

interface Closable {
  readonly closed: boolean;
  close(): void;
  [Symbol.dispose](): void;
}

interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

interface FrameOptions {
  readonly maxMessageSize?: number;
  readonly mechanism?: string;
  readonly multipleSenders?: boolean;
  readonly crossMachine?: boolean;
}

interface FrameReceiver extends Receiver {
  receiveMany(
    options?: WaitOptions & {
      readonly max?: number;
    },
  ): Promise<Buffer[]>;
  takeUnread(): Buffer;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  ref(): this;
  unref(): this;
}

interface FrameSender extends Sender {
  sendMany(messages: Iterable<Bytes>, options?: WaitOptions): Promise<void>;
  flush(): boolean;
  inOrder<T>(write: (wait: WaitOptions) => Promise<T>, options?: WaitOptions): Promise<T>;
  ref(): this;
  unref(): this;
}

interface FrameSenderOptions extends FrameOptions {
  readonly atomicSize?: number;
}

declare class IpcError extends Error {
  readonly code: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly target?: string | number;
  readonly hint?: string;
  readonly bytesWritten?: number;
  constructor(code: string, details?: IpcErrorDetails);
  get name(): string;
  static [Symbol.hasInstance](value: unknown): boolean;
}

interface IpcErrorDetails {
  readonly syscall?: string | undefined;
  readonly target?: string | number | undefined;
  readonly hint?: string | undefined;
  readonly text?: string | undefined;
  readonly bytesWritten?: number | undefined;
  readonly cause?: unknown;
}

interface ReadTarget {
  readonly maxBytes?: number | undefined;
  readonly into?: Uint8Array | undefined;
}

interface ReapReport {
  readonly kind: string;
  readonly name: string;
  readonly pid: number;
  readonly removed: boolean;
  readonly reason: string;
}

interface Receiver extends Closable, AsyncIterable<Buffer> {
  readonly traits: ChannelTraits;
  receive(options?: WaitOptions): Promise<Buffer | null>;
  tryReceive(): Buffer | null | undefined;
}

interface Sender extends Closable {
  readonly traits: ChannelTraits;
  send(
    message: Bytes,
    options?: WaitOptions & {
      readonly priority?: number;
    },
  ): Promise<void>;
  trySend(
    message: Bytes,
    options?: {
      readonly priority?: number;
    },
  ): boolean;
}

interface ValueReceiver<T> extends Closable, AsyncIterable<T> {
  readonly traits: ChannelTraits;
  receive(options?: WaitOptions): Promise<T | null>;
  tryReceive(): T | null | undefined;
}

interface ValueSender<T> extends Closable {
  readonly traits: ChannelTraits;
  send(
    value: T,
    options?: WaitOptions & {
      readonly priority?: number;
    },
  ): Promise<void>;
  trySend(
    value: T,
    options?: {
      readonly priority?: number;
    },
  ): boolean;
}

interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
}

declare const bytes: Codec<Uint8Array>;

declare function capabilities(): Capabilities;

declare function frameReceiver(reader: ByteReader, options?: FrameOptions): FrameReceiver;

declare function frameSender(writer: ByteWriter, options?: FrameSenderOptions): FrameSender;

declare function isIpcError(error: unknown, code?: string): error is IpcError;

declare const json: Codec<unknown>;

declare function reap(options?: { readonly dryRun?: boolean }): ReapReport[];

declare const structured: Codec<unknown>;

declare const text: Codec<string>;

declare function withCodec<T>(channel: Sender, codec: Codec<T>): ValueSender<T>;

declare function withCodec<T>(channel: Receiver, codec: Codec<T>): ValueReceiver<T>;

export {
  type ByteReader,
  type ByteWriter,
  type Bytes,
  type Capabilities,
  type Capability,
  type ChannelTraits,
  type Closable,
  type Codec,
  type FrameOptions,
  type FrameReceiver,
  type FrameSender,
  type FrameSenderOptions,
  IpcError,
  type IpcErrorDetails,
  type ReadTarget,
  type ReapReport,
  type Receiver,
  type Sender,
  type ValueReceiver,
  type ValueSender,
  type WaitOptions,
  bytes,
  capabilities,
  frameReceiver,
  frameSender,
  isIpcError,
  json,
  reap,
  structured,
  text,
  withCodec,
};

// @octoipc/core/kit

import { Readable, Writable } from 'node:stream';

declare const AGAIN: number;

type ArgumentError = (TypeError | RangeError) & {
  code: string;
};

type Attempt<T> = () => T | typeof BLOCKED | typeof YIELD;

declare const BLOCKED: unique symbol;

interface ByteReader extends Closable {
  read(options?: WaitOptions & ReadTarget): Promise<Buffer | null>;
  tryRead(options?: ReadTarget): Buffer | null | undefined;
  ref?(): unknown;
  unref?(): unknown;
}

interface ByteWriter extends Closable {
  write(data: Bytes, options?: WaitOptions): Promise<void>;
  tryWrite(data: Bytes): number;
  ref?(): unknown;
  unref?(): unknown;
}

type Bytes = Uint8Array | string;

interface Closable {
  readonly closed: boolean;
  close(): void;
  [Symbol.dispose](): void;
}

interface Creator {
  readonly pid: number;
  readonly from: Date;
  readonly to: Date;
}

declare const DEFAULT_MAX_BYTES: number;

declare class Deadline {
  constructor(milliseconds: number, expire: () => void);
  clear(): void;
  ref(alive: boolean): void;
}

interface DescriptorBinding extends ReadinessBinding {
  close(fd: number): number;
  adopt(fd: number): number;
  adoptCopy(fd: number): number;
  release(fd: number): number;
}

interface Details {
  readonly syscall: string;
  readonly target: string;
}

type Direction = 'readable' | 'writable';

declare abstract class FdHandle implements Closable {
  protected constructor(fd: number, binding: DescriptorBinding);
  get fd(): number;
  get closed(): boolean;
  close(): void;
  [Symbol.dispose](): void;
  ref(): this;
  unref(): this;
  release(): number;
  onClosed(told: () => void): () => void;
  newSource(): FdSource;
  protected abstract describe(): IpcErrorDetails;
  protected queue(direction: Direction): WaitQueue;
  protected waiting(direction: Direction): number;
  protected wake(direction: Direction): void;
}

declare class FdSource {
  readonly readable: WakeSource;
  readonly writable: WakeSource;
  constructor(readiness: Readiness, fd: number);
  get tellsLevels(): boolean;
  enter(events: number): void;
  leave(): void;
  ref(alive: boolean): void;
  dispatch(mask: number): void;
  dispose(): void;
}

interface FtokBinding {
  ftok(path: string, project: number, key: Int32Array): number;
}

declare class IpcError extends Error {
  readonly code: string;
  readonly errno?: number;
  readonly syscall?: string;
  readonly target?: string | number;
  readonly hint?: string;
  readonly bytesWritten?: number;
  constructor(code: string, details?: IpcErrorDetails);
  get name(): string;
  static [Symbol.hasInstance](value: unknown): boolean;
}

interface IpcErrorDetails {
  readonly syscall?: string | undefined;
  readonly target?: string | number | undefined;
  readonly hint?: string | undefined;
  readonly text?: string | undefined;
  readonly bytesWritten?: number | undefined;
  readonly cause?: unknown;
}

interface IterationSource<T> {
  readonly handle: {
    readonly closed: boolean;
  };
  readonly takesTurns?: boolean;
  take?(): T | null | typeof BLOCKED;
  receive(options: { readonly signal: AbortSignal }): Promise<T | null>;
  left?(): Promise<void> | void;
}

declare class KnownMemory {
  isKnown(view: unknown): view is Uint8Array;
  know(view: Uint8Array): Uint8Array;
}

declare const LAST_SIGNAL = 64;

interface LinesOptions {
  readonly maxLineLength?: number | undefined;
}

type Liveness = 'alive' | 'dead' | 'unknown';

type ObjectIdentity = Readonly<Record<string, string | number>>;

interface Operation {
  readonly details: IpcErrorDetails;
  readonly cancelled?: (error: unknown) => unknown;
  readonly ready?: () => boolean;
  readonly queued?: () => void;
}

interface OwnedResource {
  release(): void;
}

declare const POLLERR = 8;

declare const POLLHUP = 16;

declare const POLLIN = 1;

declare const POLLOUT = 4;

declare class Pending<T> {
  readonly promise: Promise<T>;
  constructor(
    { signal, timeout }: WaitOptions,
    details: Details,
    cancel: (error: unknown, late: boolean) => void,
  );
  resolve(value: T): void;
  fail(error: unknown): void;
  ref(alive: boolean): void;
}

interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly pidNamespace: string;
}

interface ReadAllOptions extends WaitOptions {
  readonly maxBytes?: number | undefined;
}

interface ReadOptions extends ReadTarget, WaitOptions {}

interface ReadSyncOptions extends ReadTarget {
  readonly timeout?: number | undefined;
}

interface ReadTarget {
  readonly maxBytes?: number | undefined;
  readonly into?: Uint8Array | undefined;
}

declare class Readiness {
  static of(binding: ReadinessBinding): Readiness;
  get mode(): ReadinessMode;
  take(source: FdSource): number;
  give(slot: number): void;
  add(fd: number, slot: number): void;
  remove(fd: number): void;
  watch(fd: number, slot: number, events: number): boolean;
  standIn(fd: number, slot: number, events: number): boolean;
  unwatch(slot: number): void;
  keep(change: 1 | -1): void;
}

interface ReadinessBinding {
  readinessOpen(ready: (count: number) => void, events: Int32Array, mode: number): number;
  readinessAdd(index: number, fd: number, slot: number): number;
  readinessRemove(index: number, fd: number): number;
  readinessWatch?(index: number, fd: number, slot: number, events: number): number;
  readinessStandIn?(index: number, fd: number, slot: number, events: number): number;
  readinessUnwatch?(index: number, slot: number): number;
  readinessKeep(index: number, alive: boolean): number;
  readinessMode(index: number): number;
  poll(fd: number, events: number, milliseconds: number): number;
}

type ReadinessMode = 'loop' | 'thread';

interface ReapReport {
  readonly kind: string;
  readonly name: string;
  readonly pid: number;
  readonly removed: boolean;
  readonly reason: string;
}

interface Reaper {
  readonly isOfNamespace?: boolean;
  identify(name: string): ObjectIdentity | null;
  remove(name: string): void;
  remover?(name: string): Remover;
  isOf?(name: string, creator: Creator): boolean;
}

interface Remover {
  readonly call: RemovingCall;
  readonly target: string;
}

type RemovingCall = 'unlink' | 'mq_unlink' | 'msgctl' | 'semctl' | 'shmctl';

declare abstract class ResourceHandle implements Closable {
  protected constructor(resource: OwnedResource);
  get closed(): boolean;
  close(): void;
  [Symbol.dispose](): void;
  protected abstract describe(): IpcErrorDetails;
  protected checkOpen(details?: IpcErrorDetails): void;
}

interface Retelling<T, U> {
  value(value: T): U;
  ended?(): Promise<void>;
  failed?(): Promise<void> | void;
  left?(): Promise<void> | void;
}

declare class Temporary {
  constructor(kind: string, name: string, reaper: Reaper);
  created(identity: ObjectIdentity): void;
  belongsTo(handle: object): void;
  end(): void;
}

declare class TemporaryName {
  static claim(kind: string, name: string): TemporaryName;
  get path(): string;
  identify(object: ObjectIdentity): void;
  release(): void;
  leave(): void;
}

declare class Turn {
  get taken(): boolean;
  tryTake(): boolean;
  take(options: WaitOptions, details: IpcErrorDetails): Promise<void>;
  pass(): void;
  ref(alive: boolean): void;
  fail(makeError: () => unknown): void;
}

interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeout?: number | undefined;
}

declare class WaitQueue {
  constructor(source: WakeSource);
  get length(): number;
  ref(alive: boolean): void;
  run<T>(attempt: Attempt<T>, options: WaitOptions, operation: Operation): Promise<T>;
  wake(): void;
  fail(error: unknown): void;
}

interface WakeSource {
  listen(wake: () => void): void;
  rest(): void;
  readonly tellsLevels?: boolean;
}

interface WriteSyncOptions {
  readonly timeout?: number | undefined;
}

declare const YIELD: unique symbol;

declare function adopt(binding: DescriptorBinding, fd: number): number;

declare const bufferOf: (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

declare function busyError(details: IpcErrorDetails): IpcError;

declare function bytes(value: Bytes | ArrayBufferView, name?: string): Uint8Array;

declare function cString(value: unknown, name: string): string;

declare function callback<T>(value: T, name: string): T;

declare function check(result: number, syscall: string, details?: IpcErrorDetails): number;

declare function checkTimeout(timeout: unknown): void;

declare function closedError(details: IpcErrorDetails): IpcError;

declare function codeOfErrno(errno: number): string;

declare function descriptor(value: unknown, name?: string): number;

declare function errnoOfCode(code: string): number | undefined;

declare function errorOf(result: number, syscall: string, details?: IpcErrorDetails): IpcError;

declare function firstRealTimeSignal(): number;

declare function following<T, U>(
  steps: AsyncIterator<T>,
  retelling: Retelling<T, U>,
): AsyncIterableIterator<U>;

declare function ftokOf(
  binding: () => FtokBinding,
  path: unknown,
  project: unknown,
  prefix?: string,
): number;

declare function inMainThread(): boolean;

declare function integer(value: unknown, name: string, min?: number, max?: number): number;

declare function ipcNamespace(): string;

declare function isDetached(view: ArrayBufferView): boolean;

declare function isIpcError(error: unknown, code?: string): error is IpcError;

declare function iterate<T>(source: IterationSource<T>): AsyncIterableIterator<T>;

declare function linesOf(
  reader: ByteReader,
  options?: LinesOptions,
  giveBack?: (chunks: readonly Buffer[]) => void,
): AsyncIterableIterator<string>;

declare function livenessOf(identity: ProcessIdentity): Liveness;

declare function loadBinding<T>(from: string | undefined, name: string): T;

declare function memoryForRead(size: number): Buffer;

declare function objectWith<T>(
  value: T,
  name: string,
  methods: readonly string[],
  expected: string,
): T;

declare function onAbort(signal: AbortSignal, listener: () => void): () => void;

declare function oneOf<T extends string>(value: unknown, name: string, words: readonly T[]): T;

declare function optionalBoolean(value: unknown, name: string): boolean | undefined;

declare function optionsObject<T extends object>(value: T | undefined, name?: string): T;

declare function ownIdentity(): ProcessIdentity;

declare function pidInUse(pid: number): boolean;

declare function rangeError(name: string, range: string, actual: unknown): ArgumentError;

declare function readAllOf(
  reader: ByteReader,
  details: IpcErrorDetails,
  giveBack: (chunks: readonly Buffer[]) => void,
  options?: ReadAllOptions,
): Promise<Buffer>;

declare function readIntoSlab(
  size: number,
  fill: (memory: Buffer, offset: number, length: number) => number,
): Buffer | number;

declare function readTarget(options: ReadTarget | undefined): {
  maxBytes: number;
  into: Uint8Array | undefined;
};

declare function readableOf(reader: ByteReader): Readable;

declare function reap(options?: { readonly dryRun?: boolean }): ReapReport[];

declare function reapName(kind: string, name: string): boolean;

declare function registerReaper(kind: string, reaper: Reaper): void;

declare function signalNameOf(number: number): string;

declare function signalNumberOf(name: string): number | undefined;

declare function signalNumbers(): Readonly<Record<string, number>>;

declare function tellBytesWritten(error: unknown, bytesWritten: number): unknown;

declare function textOfCode(code: string): string;

declare function timeoutError(details: IpcErrorDetails): IpcError;

declare function typeError(name: string, expected: string, actual: unknown): ArgumentError;

declare function unsupportedError(what: string, details?: IpcErrorDetails): IpcError;

declare function untransferable(memory: ArrayBufferLike): void;

declare function valueError(name: string, reason: string, actual: unknown): ArgumentError;

declare function waitOptions(options: WaitOptions | undefined): WaitOptions;

declare function waitSync<T>(
  attempt: Attempt<T>,
  sleep: (milliseconds: number) => void,
  timeout: number | undefined,
  operation: Operation,
): T;

declare function webReadableOf(reader: ByteReader): ReadableStream<Uint8Array>;

declare function webWritableOf(writer: ByteWriter): WritableStream<Uint8Array | string>;

declare function writableBytes(value: unknown, name: string): Uint8Array;

declare function writableOf(writer: ByteWriter): Writable;

declare function writingAll(
  put: (written: number) => number,
  length: number,
  begun: number,
  details: IpcErrorDetails,
): {
  attempt: Attempt<void>;
  operation: Operation;
};

export {
  AGAIN,
  type Attempt,
  BLOCKED,
  type Creator,
  DEFAULT_MAX_BYTES,
  Deadline,
  type DescriptorBinding,
  type Direction,
  FdHandle,
  FdSource,
  type FtokBinding,
  IpcError,
  type IpcErrorDetails,
  type IterationSource,
  KnownMemory,
  LAST_SIGNAL,
  type LinesOptions,
  type Liveness,
  type ObjectIdentity,
  type Operation,
  type OwnedResource,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  Pending,
  type ProcessIdentity,
  type ReadAllOptions,
  type ReadOptions,
  type ReadSyncOptions,
  Readiness,
  type ReadinessBinding,
  type ReadinessMode,
  type ReapReport,
  type Reaper,
  type Remover,
  type RemovingCall,
  ResourceHandle,
  type Retelling,
  Temporary,
  TemporaryName,
  Turn,
  type WaitOptions,
  WaitQueue,
  type WakeSource,
  type WriteSyncOptions,
  YIELD,
  adopt,
  bufferOf,
  busyError,
  bytes,
  cString,
  callback,
  check,
  checkTimeout,
  closedError,
  codeOfErrno,
  descriptor,
  errnoOfCode,
  errorOf,
  firstRealTimeSignal,
  following,
  ftokOf,
  inMainThread,
  integer,
  ipcNamespace,
  isDetached,
  isIpcError,
  iterate,
  linesOf,
  livenessOf,
  loadBinding,
  memoryForRead,
  objectWith,
  onAbort,
  oneOf,
  optionalBoolean,
  optionsObject,
  ownIdentity,
  pidInUse,
  rangeError,
  readAllOf,
  readIntoSlab,
  readTarget,
  readableOf,
  reap,
  reapName,
  registerReaper,
  signalNameOf,
  signalNumberOf,
  signalNumbers,
  tellBytesWritten,
  textOfCode,
  timeoutError,
  typeError,
  unsupportedError,
  untransferable,
  valueError,
  waitOptions,
  waitSync,
  webReadableOf,
  webWritableOf,
  writableBytes,
  writableOf,
  writingAll,
};
