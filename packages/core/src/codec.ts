import type V8 from 'node:v8';

import type { ChannelTraits, Closable, Receiver, Sender } from './channel.js';
import {
  bytes as bytesOf,
  following,
  IpcError,
  objectWith,
  valueError,
  type WaitOptions,
} from './kit.js';

/** Turns values into a message's bytes and back. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** Bytes as they are. */
export const bytes: Codec<Uint8Array> = { encode: (value) => value, decode: (value) => value };

/** A string as UTF-8. */
export const text: Codec<string> = {
  encode: (value) => Buffer.from(value),
  decode: (value) => view(value).toString('utf8'),
};

/** JSON as UTF-8. */
export const json: Codec<unknown> = {
  encode: (value) => {
    const encoded = jsonOf(value);
    if (encoded === undefined) throw valueError('value', 'has no JSON form', value);
    return Buffer.from(encoded);
  },
  decode: (value) => {
    const message = view(value).toString('utf8');
    try {
      return JSON.parse(message) as unknown;
    } catch (cause) {
      throw new IpcError('EBADMSG', {
        text: `the message is no JSON: ${(cause as Error).message}`,
        hint: 'both ends must use the same codec',
        cause,
      });
    }
  },
};

/** JSON's own refusals, of cycles and BigInts, have no code; what a `toJSON` throws is not ours to change. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined;
  } catch (cause) {
    if (!(cause instanceof TypeError) || 'code' in cause) throw cause;
    throw Object.assign(valueError('value', `has no JSON form: ${cause.message}`, value), {
      cause,
    });
  }
}

/** V8's structured clone: Map, Date, BigInt, typed arrays, cycles; for peers that are Node, too. */
export const structured: Codec<unknown> = {
  encode: (value) => {
    try {
      return v8().serialize(value);
    } catch (cause) {
      throw Object.assign(valueError('value', 'cannot be cloned', value), { cause });
    }
  },
  decode: (value) => {
    const message = view(value);
    try {
      return v8().deserialize(message);
    } catch (cause) {
      throw new IpcError('EBADMSG', {
        text: `the message is no structured clone: ${String(cause)}`,
        hint: 'both ends must use the same codec, and a version of V8 that knows this one',
        cause,
      });
    }
  },
};

/** Loaded at the first use: most channels carry something else. */
function v8(): typeof V8 {
  return require('node:v8') as typeof V8;
}

function view(message: Uint8Array): Buffer {
  const value = bytesOf(message, 'bytes');
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

const SENDER = ['send', 'trySend', 'close'];
const RECEIVER = ['receive', 'tryReceive', 'close'];

/** A {@link Sender} of values. */
export interface ValueSender<T> extends Closable {
  readonly traits: ChannelTraits;
  send(value: T, options?: WaitOptions & { readonly priority?: number }): Promise<void>;
  trySend(value: T, options?: { readonly priority?: number }): boolean;
}

/** A {@link Receiver} of values; the end is `null`, so a value of `null` needs an envelope. */
export interface ValueReceiver<T> extends Closable, AsyncIterable<T> {
  readonly traits: ChannelTraits;
  receive(options?: WaitOptions): Promise<T | null>;
  tryReceive(): T | null | undefined;
}

/**
 * A channel that carries values instead of bytes.
 *
 * @param channel - a sender or a receiver of bytes; closing the result closes it
 * @param codec - how a value becomes bytes
 * @returns a sender or receiver of values
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when the channel or the codec is none
 * @example
 * ```js
 * import { json, withCodec } from '@octoipc/core';
 * import { createPipe, pipeReceiver, pipeSender } from '@octoipc/pipe';
 *
 * const { reader, writer } = createPipe();
 * const jobs = withCodec(pipeSender(writer), json);
 * const inbox = withCodec(pipeReceiver(reader), json);
 * await jobs.send({ task: 'resize', width: 640 });
 * await inbox.receive(); //=> { task: 'resize', width: 640 }
 * ```
 */
export function withCodec<T>(channel: Sender, codec: Codec<T>): ValueSender<T>;
export function withCodec<T>(channel: Receiver, codec: Codec<T>): ValueReceiver<T>;
export function withCodec<T>(
  channel: Sender | Receiver,
  codec: Codec<T>,
): ValueSender<T> | ValueReceiver<T> {
  objectWith(codec, 'codec', ['encode', 'decode'], 'a codec: { encode, decode }');
  const isSender = typeof (channel as Partial<Sender> | null)?.send === 'function';
  const methods = isSender ? SENDER : RECEIVER;
  objectWith(channel, 'channel', methods, 'a sender or a receiver of bytes');
  return 'send' in channel ? senderOf(channel, codec) : receiverOf(channel, codec);
}

function closable(channel: Closable): Closable {
  return {
    get closed() {
      return channel.closed;
    },
    close: () => channel.close(),
    [Symbol.dispose]: () => channel.close(),
  };
}

/** Adds members without evaluating the getters that are there. */
function extend<A extends object, B extends object>(base: A, members: B): A & B {
  return Object.defineProperties(base, Object.getOwnPropertyDescriptors(members)) as A & B;
}

function senderOf<T>(channel: Sender, codec: Codec<T>): ValueSender<T> {
  return extend(closable(channel), {
    traits: channel.traits,
    send: async (value: T, options?: WaitOptions & { readonly priority?: number }) =>
      channel.send(codec.encode(value), options),
    trySend: (value: T, options?: { readonly priority?: number }) =>
      channel.trySend(codec.encode(value), options),
  });
}

function receiverOf<T>(channel: Receiver, codec: Codec<T>): ValueReceiver<T> {
  return extend(closable(channel), {
    traits: channel.traits,
    receive: async (options?: WaitOptions) => {
      const message = await channel.receive(options);
      return message === null ? null : codec.decode(message);
    },
    tryReceive: () => {
      const message = channel.tryReceive();
      return message === null || message === undefined ? message : codec.decode(message);
    },
    [Symbol.asyncIterator]: () =>
      following(channel[Symbol.asyncIterator](), { value: (message) => codec.decode(message) }),
  });
}
