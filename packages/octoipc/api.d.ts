// octoipc

import {
  WaitOptions,
  ValueReceiver,
  Bytes,
  ValueSender,
  Codec,
  Sender,
  Receiver,
} from '@octoipc/core';

import * as _octoipc_socket from '@octoipc/socket';

import * as _octoipc_shm from '@octoipc/shm';

import * as _octoipc_sem from '@octoipc/sem';

import * as _octoipc_popen from '@octoipc/popen';

import * as _octoipc_signal from '@octoipc/signal';

import * as _octoipc_mq from '@octoipc/mq';

import * as _octoipc_fifo from '@octoipc/fifo';

import * as _octoipc_pipe from '@octoipc/pipe';

interface ChannelOptions extends WaitOptions {
  readonly create?: boolean | undefined;
  readonly mode?: number | undefined;
  readonly temporary?: boolean | undefined;
  readonly maxMessageSize?: number | undefined;
  readonly maxMessages?: number | undefined;
  readonly capacity?: number | undefined;
  readonly multipleSenders?: boolean | undefined;
  readonly owner?: number | undefined;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly queue?: string | undefined;
  readonly stream?: string | undefined;
  readonly connection?: Readonly<Record<string, unknown>> | undefined;
}

interface ChannelReceiver<T = Buffer> extends ValueReceiver<T> {
  readonly url: string;
  done(): Promise<void>;
}

interface ChannelSender<T = Bytes> extends ValueSender<T> {
  readonly url: string;
}

type CodecName = keyof CodecValues;

interface CodecValues {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly json: unknown;
  readonly structured: unknown;
}

interface ReceiverOptions extends ChannelOptions {
  readonly persistent?: boolean | undefined;
  readonly reclaim?: boolean | undefined;
  readonly prefetch?: number | undefined;
  readonly acknowledge?: 'next' | 'manual' | undefined;
  readonly ackWait?: number | undefined;
}

interface Scheme {
  sender?(url: string, options: SenderOptions): (Sender & SchemeEnd) | Promise<Sender & SchemeEnd>;
  receiver?(
    url: string,
    options: ReceiverOptions,
  ): (Receiver & SchemeEnd) | Promise<Receiver & SchemeEnd>;
}

interface SchemeEnd {
  readonly url?: string;
  done?(): Promise<void>;
  finish?(options?: WaitOptions): Promise<void>;
}

interface SenderOptions extends ChannelOptions {
  readonly priority?: number | undefined;
}

interface WithCodec<C> {
  readonly codec: C;
}

interface WithoutCodec {
  readonly codec?: undefined;
}

declare const fifo: typeof _octoipc_fifo;

declare const mq: typeof _octoipc_mq;

declare function openReceiver(
  url: string,
  options?: ReceiverOptions & WithoutCodec,
): Promise<ChannelReceiver>;

declare function openReceiver<N extends CodecName>(
  url: string,
  options: ReceiverOptions & WithCodec<N>,
): Promise<ChannelReceiver<CodecValues[N]>>;

declare function openReceiver<T>(
  url: string,
  options: ReceiverOptions & WithCodec<Codec<T>>,
): Promise<ChannelReceiver<T>>;

declare function openSender(
  url: string,
  options?: SenderOptions & WithoutCodec,
): Promise<ChannelSender>;

declare function openSender<N extends CodecName>(
  url: string,
  options: SenderOptions & WithCodec<N>,
): Promise<ChannelSender<CodecValues[N]>>;

declare function openSender<T>(
  url: string,
  options: SenderOptions & WithCodec<Codec<T>>,
): Promise<ChannelSender<T>>;

declare const pipe: typeof _octoipc_pipe;

declare const popen: typeof _octoipc_popen;

declare function registerScheme(name: string, scheme: Scheme): void;

declare function schemes(): string[];

declare const sem: typeof _octoipc_sem;

declare const shm: typeof _octoipc_shm;

declare const signal: typeof _octoipc_signal;

declare const socket: typeof _octoipc_socket;

export {
  type ChannelOptions,
  type ChannelReceiver,
  type ChannelSender,
  type CodecName,
  type CodecValues,
  type ReceiverOptions,
  type Scheme,
  type SchemeEnd,
  type SenderOptions,
  type WithCodec,
  type WithoutCodec,
  fifo,
  mq,
  openReceiver,
  openSender,
  pipe,
  popen,
  registerScheme,
  schemes,
  sem,
  shm,
  signal,
  socket,
};

// octoipc/pipe

export * from '@octoipc/pipe';

// octoipc/fifo

import '@octoipc/mq';

import '@octoipc/pipe';

import '@octoipc/popen';

import '@octoipc/sem';

import '@octoipc/shm';

import '@octoipc/signal';

import '@octoipc/socket';

export * from '@octoipc/fifo';

// octoipc/mq

export * from '@octoipc/mq';

// octoipc/sem

export * from '@octoipc/sem';

// octoipc/shm

export * from '@octoipc/shm';

// octoipc/signal

export * from '@octoipc/signal';

// octoipc/socket

export * from '@octoipc/socket';

// octoipc/popen

export * from '@octoipc/popen';
