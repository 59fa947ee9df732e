import type { Codec } from '@octoipc/core';

import type {
  ChannelReceiver,
  ChannelSender,
  CodecName,
  CodecValues,
  ReceiverOptions,
  SenderOptions,
  WithCodec,
  WithoutCodec,
} from './options.js';

/**
 * Opens the sending end of a channel, of whatever mechanism the URL names: `pipe:3`, `fifo:/run/x`,
 * `mq:/jobs`, `sysv-mq:0x1234`, `sysv-mq:id=5`, `shm:/ring`, `unix:/run/x.sock`, `unix:@name`,
 * `unix+seqpacket:…`, `unix+dgram:…`, `tcp://host:port`, `popen:cmd`, `nats://host:port/subject`,
 * `nats+jetstream://…`, or a scheme that was registered. The mechanism's package loads now.
 *
 * Where the other side must be there first (FIFOs, sockets) it waits for that.
 *
 * @param url - the scheme, a colon, and what the mechanism needs
 * @param options - the codec, whether to make what is missing, how long to wait
 * @returns the sender
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when the URL is none of ours, or an option cannot be honoured
 * @throws {IpcError} ETIMEDOUT when the timeout is over and the other side has not come
 * @throws {IpcError} ENOENT when nothing has that name and `create` is not set
 * @throws {IpcError} ERR_UNSUPPORTED when the scheme has no sender, or its package is not installed
 * @example
 * ```js
 * import { openReceiver, openSender } from 'octoipc';
 *
 * const url = 'mq:/octoipc-doc-jobs';
 * const inbox = await openReceiver(url, { create: true, temporary: true, codec: 'json' });
 * const outbox = await openSender(url, { codec: 'json' });
 * await outbox.send({ task: 'resize', width: 640 });
 * await inbox.receive(); //=> { task: 'resize', width: 640 }
 * outbox.close();
 * inbox.close();
 * ```
 */
export async function openSender(
  url: string,
  options?: SenderOptions & WithoutCodec,
): Promise<ChannelSender>;
export async function openSender<N extends CodecName>(
  url: string,
  options: SenderOptions & WithCodec<N>,
): Promise<ChannelSender<CodecValues[N]>>;
export async function openSender<T>(
  url: string,
  options: SenderOptions & WithCodec<Codec<T>>,
): Promise<ChannelSender<T>>;
export async function openSender(
  url: string,
  options?: SenderOptions & { readonly codec?: CodecName | Codec<unknown> | undefined },
): Promise<ChannelSender<unknown>> {
  const { senderOf } = await import('./open.js');
  return senderOf(url, options);
}

/**
 * Opens the receiving end of a channel, of whatever mechanism the URL names; see {@link openSender}.
 *
 * @param url - the scheme, a colon, and what the mechanism needs
 * @param options - the codec, whether to make what is missing, whether to outlive the senders
 * @returns the receiver
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when the URL is none of ours, or an option cannot be honoured
 * @throws {IpcError} ENOENT when nothing has that name and `create` is not set
 * @throws {IpcError} EADDRINUSE when another receiver has the address
 * @throws {IpcError} ERR_UNSUPPORTED when the scheme has no receiver, or its package is not installed
 */
export async function openReceiver(
  url: string,
  options?: ReceiverOptions & WithoutCodec,
): Promise<ChannelReceiver>;
export async function openReceiver<N extends CodecName>(
  url: string,
  options: ReceiverOptions & WithCodec<N>,
): Promise<ChannelReceiver<CodecValues[N]>>;
export async function openReceiver<T>(
  url: string,
  options: ReceiverOptions & WithCodec<Codec<T>>,
): Promise<ChannelReceiver<T>>;
export async function openReceiver(
  url: string,
  options?: ReceiverOptions & { readonly codec?: CodecName | Codec<unknown> | undefined },
): Promise<ChannelReceiver<unknown>> {
  const { receiverOf } = await import('./open.js');
  return receiverOf(url, options);
}
