// @octoipc/pipe

import {
  WaitOptions,
  ByteReader,
  ReadTarget,
  ByteWriter,
  Bytes,
  FrameReceiver,
  FrameSender,
} from '@octoipc/core';

import { Readable, Writable } from 'node:stream';

import {
  DescriptorBinding,
  KnownMemory,
  FdHandle,
  ReadOptions,
  ReadSyncOptions,
  ReadAllOptions,
  LinesOptions,
  WriteSyncOptions,
} from '@octoipc/core/kit';

import { SpawnOptions, ChildProcess } from 'node:child_process';

interface Adoption {
  readonly target?: string | undefined;
  readonly ours?: boolean | undefined;
}

type ChildEnd = 'read' | 'write';

interface CreatePipeOptions {
  readonly packet?: boolean;
  readonly capacity?: number;
}

interface Pipe {
  readonly reader: PipeReader;
  readonly writer: PipeWriter;
  close(): void;
  [Symbol.dispose](): void;
}

interface PipeBinding extends DescriptorBinding {
  readonly pipeBuf: number;
  readonly chunk: number;
  readonly mainThread: 0 | 1;
  pipe(
    ends: Int32Array,
    packet: boolean,
    readerNonblocking: boolean,
    writerNonblocking: boolean,
  ): number;
  read(fd: number, into: Uint8Array, offset: number, length: number, nowait: boolean): number;
  write(fd: number, from: Uint8Array, offset: number, length: number, nowait: boolean): number;
  fill(fd: number, into: Uint8Array): number;
  put(fd: number, from: Uint8Array): number;
  fillAgain(fd: number): number;
  putAgain(fd: number): number;
  known: {
    readonly filled: KnownMemory;
    readonly put: KnownMemory;
  };
  fileType(fd: number): number;
  statusFlags(fd: number): number;
  setNonblocking(fd: number, nonblocking: boolean): number;
  available(fd: number): number;
  capacity(fd: number): number;
  setCapacity(fd: number, bytes: number): number;
  splice(from: number, to: number, length: number, sockets: boolean): number;
  tee(from: number, to: number, length: number): number;
  streamRoom(fd: number): number;
  isAtMark(fd: number): number;
  duplicate(fd: number): number;
  transferStart(from: number, to: number, length: number): number;
  transferDone(index: number): number;
  transferMoved(index: number): number;
  transferResult(index: number): number;
  transferCancel(index: number): number;
  transferDrop(index: number): number;
}

interface PipeChannelOptions {
  readonly maxMessageSize?: number;
}

declare class PipeEnd {
  readonly fd: number;
  readonly target: string | number;
  readonly binding: PipeBinding;
  constructor(fd: number, mode: 'ours' | 'nonblocking' | 'blocking', target?: string | number);
  read(into: Uint8Array, offset: number, length: number): number;
  write(from: Uint8Array, offset: number, length: number): number;
  readSleeping(into: Uint8Array, offset: number, length: number): number;
  writeSleeping(from: Uint8Array, offset: number, length: number): number;
  get sleeps(): boolean;
  fillSleeping(into: Uint8Array): number;
  putSleeping(from: Uint8Array): number;
  get capacity(): number;
  set capacity(bytes: number);
  restore(): void;
  restoreAdopted(): void;
}

declare abstract class PipeHandle extends FdHandle {
  protected constructor(end: PipeEnd);
  get capacity(): number;
  set capacity(bytes: number);
  release(): number;
  close(): void;
}

declare class PipeReader extends ReadEnd implements ByteReader, AsyncIterable<Buffer> {
  protected constructor(end: number | PipeEnd, adoption?: Adoption);
  static fromFd(fd: number): PipeReader;
  read(options?: ReadOptions): Promise<Buffer | null>;
  tryRead(options?: ReadTarget): Buffer | null | undefined;
  readSync(options?: ReadSyncOptions): Buffer | null;
  readAll(options?: ReadAllOptions): Promise<Buffer>;
  lines(options?: LinesOptions): AsyncIterableIterator<string>;
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer>;
  get available(): number;
  release(): number;
  toReadable(): Readable;
  toWeb(): ReadableStream<Uint8Array>;
  protected describe(): {
    syscall: string;
    target: string | number;
  };
}

declare class PipeWriter extends PipeHandle implements ByteWriter {
  protected constructor(end: number | PipeEnd, adoption?: Adoption);
  static fromFd(fd: number): PipeWriter;
  write(data: Bytes, options?: WaitOptions): Promise<void>;
  tryWrite(data: Bytes): number;
  writeSync(data: Bytes, options?: WriteSyncOptions): void;
  writeAtomic(data: Bytes, options?: WaitOptions): Promise<void>;
  tryWriteAtomic(data: Bytes): boolean;
  writeAtomicSync(data: Bytes, options?: WriteSyncOptions): void;
  writable(options?: WaitOptions): Promise<void>;
  get broken(): boolean;
  toWritable(): Writable;
  toWeb(): WritableStream<Uint8Array | string>;
  protected describe(): {
    syscall: string;
    target: string | number;
  };
}

declare abstract class ReadEnd extends PipeHandle {
  readable(options?: WaitOptions): Promise<void>;
  readableSync(options?: { readonly timeout?: number | undefined }): void;
  get isReadable(): boolean;
  get ended(): boolean;
  protected poll(): number;
  protected sleep(milliseconds: number): void;
}

interface SpawnWithPipesOptions<P extends Readonly<Record<number, ChildEnd>>> extends SpawnOptions {
  readonly pipes: P;
}

interface SpawnedWithPipes<P extends Readonly<Record<number, ChildEnd>>> {
  readonly child: ChildProcess;
  readonly pipes: {
    readonly [fd in keyof P]: P[fd] extends 'read' ? PipeWriter : PipeReader;
  };
}

type TransferEnd =
  | number
  | {
      readonly fd: number;
    };

interface TransferOptions extends WaitOptions {
  readonly length?: number | undefined;
}

declare function createPipe(options?: CreatePipeOptions): Pipe;

declare function pipeReceiver(reader: PipeReader, options?: PipeChannelOptions): FrameReceiver;

declare function pipeSender(writer: PipeWriter, options?: PipeChannelOptions): FrameSender;

declare function spawnWithPipes<const P extends Readonly<Record<number, ChildEnd>>>(
  file: string,
  args: readonly string[],
  options: SpawnWithPipesOptions<P>,
): SpawnedWithPipes<P>;

declare function splice(
  from: TransferEnd,
  to: TransferEnd,
  options?: TransferOptions,
): Promise<number>;

declare function spliceSync(
  from: TransferEnd,
  to: TransferEnd,
  options?: {
    readonly length?: number | undefined;
    readonly timeout?: number | undefined;
  },
): number;

declare function tee(
  from: TransferEnd,
  to: TransferEnd,
  options?: TransferOptions,
): Promise<number>;

declare function teeSync(
  from: TransferEnd,
  to: TransferEnd,
  options?: {
    readonly length?: number | undefined;
    readonly timeout?: number | undefined;
  },
): number;

declare function trySplice(
  from: TransferEnd,
  to: TransferEnd,
  options?: {
    readonly length?: number | undefined;
  },
): number;

declare function tryTee(
  from: TransferEnd,
  to: TransferEnd,
  options?: {
    readonly length?: number | undefined;
  },
): number;

export {
  LinesOptions,
  ReadAllOptions,
  ReadOptions,
  ReadSyncOptions,
  WriteSyncOptions,
} from '@octoipc/core/kit';

export {
  type CreatePipeOptions,
  type Pipe,
  PipeReader,
  PipeWriter,
  type SpawnWithPipesOptions,
  type SpawnedWithPipes,
  type TransferEnd,
  type TransferOptions,
  createPipe,
  pipeReceiver,
  pipeSender,
  spawnWithPipes,
  splice,
  spliceSync,
  tee,
  teeSync,
  trySplice,
  tryTee,
};
