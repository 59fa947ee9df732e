// @octoipc/fifo

import { WaitOptions, FrameReceiver, FrameSender } from '@octoipc/core';

import { PipeReader, PipeWriter } from '@octoipc/pipe';

interface ChannelOptions {
  readonly maxMessageSize?: number | undefined;
  readonly multipleSenders?: boolean | undefined;
}

declare class FifoReader extends PipeReader {
  readonly path: string;
  readonly persistent: boolean;
  static fromFd(
    fd: number,
    options?: {
      readonly persistent?: boolean | undefined;
    },
  ): FifoReader;
  get isReadable(): boolean;
  get ended(): boolean;
  protected sleep(milliseconds: number): void;
}

interface FifoReceiverOptions extends OpenReaderOptions, ChannelOptions {
  readonly persistent?: boolean | undefined;
}

interface FifoSenderOptions extends OpenWriterOptions, ChannelOptions {}

declare class FifoWriter extends PipeWriter {
  readonly path: string;
  static fromFd(fd: number): FifoWriter;
}

interface MkfifoOptions {
  readonly mode?: number | undefined;
}

interface OpenOptions extends MkfifoOptions {
  readonly create?: boolean | undefined;
  readonly exclusive?: boolean | undefined;
  readonly owner?: number | undefined;
}

interface OpenReaderOptions extends ReaderOptions, WaitOptions {}

interface OpenReaderSyncOptions extends ReaderOptions {
  readonly timeout?: number | undefined;
}

interface OpenWriterOptions extends OpenOptions, WaitOptions {}

interface OpenWriterSyncOptions extends OpenOptions {
  readonly timeout?: number | undefined;
}

interface ReaderOptions extends OpenOptions {
  readonly persistent?: boolean | undefined;
  readonly waitForWriter?: boolean | undefined;
}

declare function fifoReceiver(path: string, options?: FifoReceiverOptions): Promise<FrameReceiver>;

declare function fifoSender(path: string, options?: FifoSenderOptions): Promise<FrameSender>;

declare function isFifo(path: string): boolean;

declare function mkfifo(path: string, options?: MkfifoOptions): void;

declare function openReader(path: string, options?: OpenReaderOptions): Promise<FifoReader>;

declare function openReaderSync(path: string, options?: OpenReaderSyncOptions): FifoReader;

declare function openWriter(path: string, options?: OpenWriterOptions): Promise<FifoWriter>;

declare function openWriterSync(path: string, options?: OpenWriterSyncOptions): FifoWriter;

declare function tryOpenWriter(path: string, options?: OpenOptions): FifoWriter | null;

declare function unlink(path: string): void;

export {
  FifoReader,
  type FifoReceiverOptions,
  type FifoSenderOptions,
  FifoWriter,
  type MkfifoOptions,
  type OpenOptions,
  type OpenReaderOptions,
  type OpenReaderSyncOptions,
  type OpenWriterOptions,
  type OpenWriterSyncOptions,
  fifoReceiver,
  fifoSender,
  isFifo,
  mkfifo,
  openReader,
  openReaderSync,
  openWriter,
  openWriterSync,
  tryOpenWriter,
  unlink,
};
