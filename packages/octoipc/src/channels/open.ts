import {
  bytes,
  IpcError,
  json,
  structured,
  text,
  type Codec,
  type Receiver,
  type Sender,
} from '@octoipc/core';
import { oneOf, optionsObject, typeError, valueError, waitOptions } from '@octoipc/core/kit';

import { shownUrl } from './check.js';
import { ReceivingEnd, SendingEnd } from './ends.js';
import type {
  ChannelOptions,
  ChannelReceiver,
  ChannelSender,
  CodecName,
  ReceiverOptions,
  SenderOptions,
} from './options.js';
import { EXAMPLES, registered, schemes, type BuiltIn, type Scheme } from './registry.js';

const CODECS = { bytes, text, json, structured } as {
  readonly [name in CodecName]: Codec<unknown>;
};

type Coded<O> = O & { readonly codec?: CodecName | Codec<unknown> | undefined };

/** Loads what a scheme that is built in needs, when one of its URLs is opened. */
const LOADERS: { readonly [name in BuiltIn]: () => Promise<{ readonly scheme: Scheme }> } = {
  pipe: () => import('./schemes/pipe.js'),
  fifo: () => import('./schemes/fifo.js'),
  mq: () => import('./schemes/mq.js'),
  'sysv-mq': () => import('./schemes/sysv-mq.js'),
  shm: () => import('./schemes/shm.js'),
  unix: () => import('./schemes/socket.js'),
  'unix+seqpacket': () => import('./schemes/socket.js'),
  'unix+dgram': () => import('./schemes/datagram.js'),
  tcp: () => import('./schemes/socket.js'),
  popen: () => import('./schemes/popen.js'),
  nats: () => import('./schemes/nats.js'),
  'nats+jetstream': () => import('./schemes/nats.js'),
};

/** The name of a URL's scheme: what is before the first colon. */
function nameOf(url: unknown): string {
  if (typeof url !== 'string') throw typeError('url', 'a string', url);
  const [, name] = /^([^:]*):/.exec(url) ?? [];
  if (name !== undefined && schemes().includes(name)) return name;
  const what =
    name === undefined || name === ''
      ? 'must begin with a scheme and a colon'
      : `has the unknown scheme '${name}'`;
  throw valueError(
    'url',
    `${what}, as in '${EXAMPLES.mq}'; there are ${schemes().join(', ')}`,
    shownUrl(url),
  );
}

async function schemeOf(name: string): Promise<Scheme> {
  const own = registered.get(name);
  if (own !== undefined) return own;
  const { scheme } = await LOADERS[name as BuiltIn]();
  return scheme;
}

function codecOf(codec: unknown): Codec<unknown> | undefined {
  if (codec === undefined) return undefined;
  if (typeof codec === 'string') {
    const name = oneOf(codec, 'options.codec', Object.keys(CODECS) as CodecName[]);
    return CODECS[name];
  }
  const { encode, decode } = (codec ?? {}) as Partial<Codec<unknown>>;
  if (typeof encode === 'function' && typeof decode === 'function') return codec as Codec<unknown>;
  throw typeError('options.codec', "a codec's name or { encode, decode }", codec);
}

/** What is checked whatever the scheme; the options without the codec. */
function checked<O extends ChannelOptions>(
  url: string,
  given: Coded<O> | undefined,
): { name: string; codec: Codec<unknown> | undefined; options: O } {
  const name = nameOf(url);
  const { codec, ...options } = optionsObject<Coded<O>>(given);
  waitOptions(options).signal?.throwIfAborted();
  return { name, codec: codecOf(codec), options: options as unknown as O };
}

function lacks(name: string, url: string, end: string): Error {
  return new IpcError('ERR_UNSUPPORTED', {
    target: shownUrl(url),
    text: `the scheme '${name}' has no ${end}`,
  });
}

/** @see openSender */
export async function senderOf(
  url: string,
  given?: Coded<SenderOptions>,
): Promise<ChannelSender<unknown>> {
  const { name, codec, options } = checked<SenderOptions>(url, given);
  const scheme = await schemeOf(name);
  if (scheme.sender === undefined) throw lacks(name, url, 'sender');
  const end: Sender = await scheme.sender(url, options);
  return new SendingEnd(url, end, codec, options.priority);
}

/** @see openReceiver */
export async function receiverOf(
  url: string,
  given?: Coded<ReceiverOptions>,
): Promise<ChannelReceiver<unknown>> {
  const { name, codec, options } = checked<ReceiverOptions>(url, given);
  const scheme = await schemeOf(name);
  if (scheme.receiver === undefined) throw lacks(name, url, 'receiver');
  const end: Receiver = await scheme.receiver(url, options);
  return new ReceivingEnd(url, end, codec);
}
