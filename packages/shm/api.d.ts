// @octoipc/shm

import { WaitOptions, IpcErrorDetails, Bytes, Receiver, Sender } from '@octoipc/core';

import { ResourceHandle } from '@octoipc/core/kit';

declare class BroadcastConsumer extends ResourceHandle implements AsyncIterable<Buffer> {
  get maxMessageSize(): number;
  get missed(): number;
  get spin(): number;
  set spin(microseconds: number);
  receive(options?: WaitOptions): Promise<Buffer>;
  tryReceive(): Buffer | undefined;
  receiveSync(options?: { readonly timeout?: number | undefined }): Buffer;
  receiveMany(options?: BroadcastReceiveManyOptions): Promise<Buffer[]>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  close(): void;
  ref(): this;
  unref(): this;
  protected describe(): IpcErrorDetails;
}

interface BroadcastConsumerOptions {
  readonly from?: 'next' | 'oldest' | undefined;
}

declare class BroadcastProducer extends ResourceHandle {
  get maxMessageSize(): number;
  send(message: Bytes): void;
  close(): void;
  protected describe(): IpcErrorDetails;
}

interface BroadcastReceiveManyOptions extends WaitOptions {
  readonly max?: number | undefined;
}

interface FileMemoryOptions {
  readonly create?: boolean | undefined;
  readonly size?: number | undefined;
  readonly readOnly?: boolean | undefined;
}

interface FromFdOptions {
  readonly readOnly?: boolean | undefined;
  readonly requireSeals?: readonly Seal[] | undefined;
}

interface ListOptions {
  readonly holders?: boolean | undefined;
}

declare abstract class MappedMemory extends ResourceHandle {
  get buffer(): MemoryBuffer;
  get shared(): boolean;
  get readOnly(): boolean;
  get byteLength(): number;
  get bytes(): Uint8Array;
  view<V extends ArrayBufferView>(
    constructor: ViewConstructor<V>,
    byteOffset?: number,
    length?: number,
  ): V;
  read(byteOffset?: number, length?: number): Buffer;
  write(byteOffset: number, bytes: Bytes | ArrayBufferView): void;
  protected describe(): IpcErrorDetails;
}

interface MemfdOptions {
  readonly name?: string | undefined;
  readonly size: number;
  readonly sealable?: boolean | undefined;
  readonly hugePages?: boolean | '2MB' | '1GB' | undefined;
}

declare abstract class Memory extends MappedMemory {
  wait(byteOffset: number, expected: number, options?: WaitOptions): Promise<'ok' | 'not-equal'>;
  waitSync(
    byteOffset: number,
    expected: number,
    options?: {
      readonly timeout?: number | undefined;
    },
  ): 'ok' | 'not-equal';
  notify(byteOffset: number, count?: number): number;
  sync(
    range?: MemoryRange & {
      readonly wait?: boolean | undefined;
    },
  ): void;
  advise(advice: MemoryAdvice, range?: MemoryRange): void;
  lockInMemory(): void;
  unlockFromMemory(): void;
  close(): void;
  ref(): this;
  unref(): this;
}

type MemoryAdvice =
  | 'normal'
  | 'random'
  | 'sequential'
  | 'willneed'
  | 'dontneed'
  | 'hugepage'
  | 'nohugepage'
  | 'dontfork'
  | 'dofork'
  | 'dontdump'
  | 'dodump';

type MemoryBuffer = ArrayBuffer | SharedArrayBuffer;

interface MemoryRange {
  readonly byteOffset?: number | undefined;
  readonly length?: number | undefined;
}

declare abstract class RecordReader extends RingEnd {}

declare abstract class RecordWriter extends RingEnd {
  close(): void;
}

interface RingClaim {
  readonly bytes: Uint8Array;
  commit(): void;
  abort(): void;
}

declare class RingConsumer extends RecordReader implements AsyncIterable<Buffer> {
  receive(options?: WaitOptions): Promise<Buffer>;
  tryReceive(): Buffer | undefined;
  receiveSync(options?: { readonly timeout?: number | undefined }): Buffer;
  receiveMany(options?: RingReceiveManyOptions): Promise<Buffer[]>;
  consume(
    fn: (view: Uint8Array) => void,
    options?: {
      readonly max?: number | undefined;
    },
  ): number;
  readable(options?: WaitOptions): Promise<void>;
  readableSync(options?: { readonly timeout?: number | undefined }): void;
  close(): void;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
}

declare abstract class RingEnd extends ResourceHandle {
  get maxMessageSize(): number;
  get spin(): number;
  set spin(microseconds: number);
  get stats(): RingStats;
  close(): void;
  ref(): this;
  unref(): this;
  protected describe(): IpcErrorDetails;
}

declare class RingProducer extends RecordWriter {
  send(message: Bytes, options?: WaitOptions): Promise<void>;
  trySend(message: Bytes): boolean;
  sendSync(
    message: Bytes,
    options?: {
      readonly timeout?: number | undefined;
    },
  ): void;
  sendMany(messages: Iterable<Bytes>, options?: WaitOptions): Promise<void>;
  claim(length: number): RingClaim | null;
  writable(length: number, options?: WaitOptions): Promise<void>;
  writableSync(
    length: number,
    options?: {
      readonly timeout?: number | undefined;
    },
  ): void;
  close(): void;
}

interface RingReceiveManyOptions extends WaitOptions {
  readonly max?: number | undefined;
}

interface RingStats {
  readonly messages: number;
  readonly sleeps: number;
  readonly wakes: number;
  readonly deaths: number;
}

type Seal = 'shrink' | 'grow' | 'write' | 'future-write' | 'seal';

declare class SharedMemory extends Memory {
  static open(name: string, options?: SharedMemoryOpenOptions): SharedMemory;
  static memfd(options: MemfdOptions): SharedMemory;
  static file(path: string, options?: FileMemoryOptions): SharedMemory;
  static fromFd(fd: number, options?: FromFdOptions): SharedMemory;
  static unlink(name: string): void;
  static list(options?: SharedMemoryListOptions): SharedMemoryInfo[];
  get fd(): number;
  resize(bytes: number): void;
  seal(...seals: Seal[]): void;
  get seals(): Seal[];
}

interface SharedMemoryInfo {
  readonly kind: SharedMemoryKind;
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mappedBy: readonly number[];
  readonly holders: readonly number[];
}

type SharedMemoryKind = 'posix' | 'memfd' | 'file';

interface SharedMemoryListOptions extends ListOptions {
  readonly kinds?: readonly SharedMemoryKind[] | undefined;
}

interface SharedMemoryOpenOptions {
  readonly create?: boolean | undefined;
  readonly exclusive?: boolean | undefined;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
  readonly size?: number | undefined;
  readonly readOnly?: boolean | undefined;
}

declare class ShmBroadcast extends ResourceHandle {
  static create(where: string | SharedMemory, options: ShmBroadcastOptions): ShmBroadcast;
  static attach(where: string | SharedMemory): ShmBroadcast;
  static unlink(name: string): void;
  get capacity(): number;
  get maxMessageSize(): number;
  producer(): BroadcastProducer;
  consumer(options?: BroadcastConsumerOptions): BroadcastConsumer;
  close(): void;
  protected describe(): IpcErrorDetails;
}

interface ShmBroadcastOptions {
  readonly capacity: number;
  readonly maxMessageSize?: number | undefined;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
}

declare class ShmRing extends ResourceHandle {
  static create(where: string | SharedMemory, options: ShmRingOptions): ShmRing;
  static attach(where: string | SharedMemory): ShmRing;
  static unlink(name: string): void;
  get capacity(): number;
  get maxMessageSize(): number;
  get producers(): 'single' | 'multiple';
  producer(): RingProducer;
  consumer(): RingConsumer;
  close(): void;
  protected describe(): IpcErrorDetails;
}

interface ShmRingOptions {
  readonly capacity: number;
  readonly maxMessageSize?: number | undefined;
  readonly producers?: 'single' | 'multiple' | undefined;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
}

declare class ShmValue extends ResourceHandle {
  static create(where: string | SharedMemory, options: ShmValueOptions): ShmValue;
  static attach(where: string | SharedMemory): ShmValue;
  static unlink(name: string): void;
  get maxSize(): number;
  get version(): number;
  set(value: Bytes): void;
  get(): Buffer | null;
  changed(sinceVersion: number, options?: WaitOptions): Promise<number>;
  tryChanged(sinceVersion: number): number | undefined;
  changedSync(
    sinceVersion: number,
    options?: {
      readonly timeout?: number | undefined;
    },
  ): number;
  ref(): this;
  unref(): this;
  close(): void;
  protected describe(): IpcErrorDetails;
}

interface ShmValueOptions {
  readonly maxSize: number;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
}

type SysvKey =
  | number
  | 'private'
  | {
      readonly path: string;
      readonly project: number | string;
    };

declare class SysvSharedMemory extends Memory {
  readonly key: number;
  static open(key: SysvKey, options?: SharedMemoryOpenOptions): SysvSharedMemory;
  static fromId(
    id: number,
    options?: {
      readonly readOnly?: boolean | undefined;
    },
  ): SysvSharedMemory;
  static remove(id: number): void;
  static list(options?: ListOptions): SysvSharedMemoryInfo[];
  get id(): number;
  get attachments(): number;
  stat(): SysvSharedMemoryStatus;
  setStat(changes: SysvSharedMemoryChanges): void;
  remove(): void;
}

interface SysvSharedMemoryChanges {
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

interface SysvSharedMemoryInfo extends SysvSharedMemoryStatus {
  readonly mappedBy: readonly number[];
}

interface SysvSharedMemoryStatus {
  readonly id: number;
  readonly key: number;
  readonly mode: number;
  readonly removed: boolean;
  readonly locked: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly creatorUid: number;
  readonly creatorGid: number;
  readonly size: number;
  readonly attachments: number;
  readonly creatorPid: number;
  readonly lastPid: number;
  readonly attachTime: Date | null;
  readonly detachTime: Date | null;
  readonly changeTime: Date;
}

type ViewConstructor<V extends ArrayBufferView> = new (
  buffer: MemoryBuffer,
  byteOffset: number,
  length: number,
) => V;

declare function ftok(path: string, project: number | string): number;

declare function shmReceiver(ring: ShmRing): Receiver;

declare function shmSender(ring: ShmRing): Sender;

export {
  BroadcastConsumer,
  type BroadcastConsumerOptions,
  BroadcastProducer,
  type BroadcastReceiveManyOptions,
  type FileMemoryOptions,
  type FromFdOptions,
  type ListOptions,
  type MemfdOptions,
  Memory,
  type MemoryAdvice,
  type MemoryBuffer,
  type MemoryRange,
  type RingClaim,
  RingConsumer,
  RingEnd,
  RingProducer,
  type RingReceiveManyOptions,
  type RingStats,
  type Seal,
  SharedMemory,
  type SharedMemoryInfo,
  type SharedMemoryKind,
  type SharedMemoryListOptions,
  type SharedMemoryOpenOptions,
  ShmBroadcast,
  type ShmBroadcastOptions,
  ShmRing,
  type ShmRingOptions,
  ShmValue,
  type ShmValueOptions,
  type SysvKey,
  SysvSharedMemory,
  type SysvSharedMemoryChanges,
  type SysvSharedMemoryInfo,
  type SysvSharedMemoryStatus,
  type ViewConstructor,
  ftok,
  shmReceiver,
  shmSender,
};
