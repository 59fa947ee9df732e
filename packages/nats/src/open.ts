import type { Receiver, Sender } from '@octoipc/core';
import {
  cString,
  integer,
  oneOf,
  optionalBoolean,
  optionsObject,
  valueError,
  waitOptions,
} from '@octoipc/core/kit';

import { CoreReceiver } from './core-receiver.js';
import { CoreSender } from './core-sender.js';
import { Link } from './link.js';
import type { NatsOptions, NatsReceiverOptions, NatsSenderOptions } from './options.js';
import { parsePlace, type Place } from './place.js';

/** A receiver that can say what was done with. */
export interface NatsReceiver extends Receiver {
  /**
   * JetStream: acknowledges all that was handed out so far, and resolves when the server has taken that
   * down. Without JetStream there is nothing to acknowledge.
   */
  done(): Promise<void>;
}

/** What only JetStream has. */
const OF_JETSTREAM = ['create', 'stream', 'maxMessages', 'acknowledge', 'ackWait'] as const;

/**
 * Connects to a NATS server, to send messages to a subject.
 *
 * @param url - `nats://[user:password@]host[:port]/subject`, or `nats+jetstream://…` for what must survive
 * @param options - how to connect, and whether to make a stream
 * @returns the sender; while the server is away its sends wait
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is no such URL, or an option is not for it, or the client library
 *   refuses `connection`
 * @throws {IpcError} ECONNREFUSED when no server answers, EACCES when it refuses the credentials
 * @throws {IpcError} ENOENT when no stream has the subject, and `create` is not set
 * @throws {IpcError} ERR_UNSUPPORTED when the server has no JetStream
 * @example
 * ```js no-run
 * import { natsReceiver, natsSender } from '@octoipc/nats';
 *
 * const url = 'nats+jetstream://127.0.0.1:4222/jobs';
 * const sender = await natsSender(url, { create: true });
 * await sender.send('a message');
 * const receiver = await natsReceiver(url);
 * String(await receiver.receive()); //=> 'a message'
 * await receiver.done();
 * receiver.close();
 * sender.close();
 * ```
 */
export async function natsSender(url: string, options?: NatsSenderOptions): Promise<Sender> {
  const given = checkedOptions(options);
  const place = parsePlace(url, false);
  checkPlace(place, given);
  return linked(place, given, async (link) => {
    if (!place.jetstream) return new CoreSender(link, place);
    const [{ streamOf }, { JetStreamSender }] = await Promise.all([
      import('./stream.js'),
      import('./jetstream-sender.js'),
    ]);
    await streamOf(link, place, given);
    return new JetStreamSender(link, place);
  });
}

/**
 * Connects to a NATS server, to receive the messages of a subject.
 *
 * @param url - `nats://[user:password@]host[:port]/subject`, or `nats+jetstream://…` for what must survive
 * @param options - whom it shares the messages with, how many it takes ahead, when they are acknowledged
 * @returns the receiver, which has no end: it never gives `null`
 * @throws as {@link natsSender} does
 */
export async function natsReceiver(
  url: string,
  options?: NatsReceiverOptions,
): Promise<NatsReceiver> {
  const given = checkedOptions(options);
  const place = parsePlace(url, true);
  checkPlace(place, given);
  return linked<NatsReceiver>(place, given, async (link) => {
    if (!place.jetstream) return CoreReceiver.open(link, place, given);
    const [{ streamOf }, { JetStreamReceiver }] = await Promise.all([
      import('./stream.js'),
      import('./jetstream-receiver.js'),
    ]);
    return JetStreamReceiver.open(link, place, await streamOf(link, place, given), given);
  });
}

/** What is made of a connection, which is closed if that fails. */
async function linked<T>(
  place: Place,
  options: NatsOptions,
  make: (link: Link) => Promise<T>,
): Promise<T> {
  const link = await Link.open(place, options);
  try {
    return await make(link);
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** A name of a stream or a group: dots, wildcards and slashes mean something to the server. */
function checkName(value: string | undefined, name: string): void {
  if (value === undefined) return;
  cString(value, name);
  if (/[\s.*>/\\]/.test(value)) {
    throw valueError(name, 'must not have spaces, dots, wildcards or slashes', value);
  }
}

/** Refuses what is for JetStream only where there is none. */
function checkPlace(place: Place, options: NatsReceiverOptions): void {
  for (const name of OF_JETSTREAM) {
    if (options[name] === undefined || place.jetstream) continue;
    if (name === 'create') continue;
    throw valueError(`options.${name}`, 'is for nats+jetstream:// only', options[name]);
  }
}

/** Checks options; as they are now, whatever the caller does with the object while the server is reached. */
function checkedOptions(options: NatsReceiverOptions | undefined): NatsReceiverOptions {
  const given = optionsObject<NatsReceiverOptions>(options);
  const { signal, timeout } = waitOptions(given);
  signal?.throwIfAborted();
  const { create, stream, queue, connection, maxMessages, prefetch, ackWait, acknowledge } = given;
  optionalBoolean(create, 'options.create');
  checkName(stream, 'options.stream');
  checkName(queue, 'options.queue');
  if (connection !== undefined) optionsObject(connection, 'options.connection');
  if (maxMessages !== undefined) integer(maxMessages, 'options.maxMessages', 1);
  if (prefetch !== undefined) integer(prefetch, 'options.prefetch', 1, 1_000_000);
  if (ackWait !== undefined) integer(ackWait, 'options.ackWait', 100, 0x7fffffff);
  if (acknowledge !== undefined) {
    oneOf(acknowledge, 'options.acknowledge', ['next', 'manual'] as const);
  }

  return {
    signal,
    timeout,
    create,
    stream,
    queue,
    connection: connection && { ...connection },
    maxMessages,
    prefetch,
    ackWait,
    acknowledge,
  };
}
