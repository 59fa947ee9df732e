import {
  AckPolicy,
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { IpcError, type WaitOptions } from '@octoipc/core';

import { failure } from './failure.js';
import type { Link } from './link.js';
import type { NatsOptions, NatsReceiverOptions } from './options.js';
import type { Place } from './place.js';
import { leftOf, within } from './within.js';

/** So long the server remembers message ids: a send that is repeated within is not stored twice. */
const DUPLICATES = 2 * 60 * 1000;

const ACK_WAIT = 30_000;

/** Requests to the server have so long, unless the caller says otherwise, in milliseconds. */
const ANSWER = 5000;

/** JetStream's number of an error. */
export function apiCode(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'code' in error
    ? (error.code as number)
    : undefined;
}

const CONSUMER_NOT_FOUND = 10_014;

/** A stream and what asks the server of it. */
export interface StreamOf {
  readonly manager: JetStreamManager;
  readonly name: string;
}

/** The name of a stream that is made for a subject: what names may not have is left out. */
function nameFor(subject: string): string {
  return `octoipc-${subject.replaceAll('.', '-').replaceAll('*', '_').replaceAll('>', '_')}`;
}

/**
 * The stream that has a subject; with `create`, one is made where there is none.
 *
 * @throws {IpcError} ENOENT when there is none
 * @throws {IpcError} ERR_UNSUPPORTED when the server has no JetStream
 */
export async function streamOf(link: Link, place: Place, options: NatsOptions): Promise<StreamOf> {
  const details = { syscall: 'stream', ...link.details };
  const left = leftOf(answerWait(options));
  try {
    const manager = await within(jetstreamManager(link.nc, { timeout: ANSWER }), left(), details);
    const name = await within(find(manager, place, options), left(), details);
    if (name !== undefined) return { manager, name };
    if (options.create !== true) {
      throw new IpcError('ENOENT', {
        ...details,
        text: 'no stream has the subject',
        hint: 'create: true makes one; or name one of yours with options.stream',
      });
    }
    return { manager, name: await within(make(manager, place, options), left(), details) };
  } catch (error) {
    throw failure(error, details);
  }
}

async function find(
  manager: JetStreamManager,
  place: Place,
  options: NatsOptions,
): Promise<string | undefined> {
  const found: string[] = [];
  for await (const name of manager.streams.names(place.subject)) found.push(name);
  return options.stream === undefined ? found[0] : found.find((name) => name === options.stream);
}

/** A stream of which each message goes when it was acknowledged. */
async function make(
  manager: JetStreamManager,
  place: Place,
  options: NatsOptions,
): Promise<string> {
  const { stream: name = nameFor(place.subject), maxMessages } = options;
  await manager.streams.add({
    name,
    subjects: [place.subject],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    duplicate_window: nanos(DUPLICATES),
    ...(maxMessages === undefined ? {} : { max_msgs: maxMessages }),
  });
  return name;
}

/** Joins the receivers of a group; the name by which the server knows the group. */
export async function joinGroup(
  { manager, name }: StreamOf,
  link: Link,
  place: Place,
  options: NatsReceiverOptions,
): Promise<string> {
  const details = { syscall: 'consumer', ...link.details };
  const { queue = 'octoipc', ackWait } = options;
  const left = leftOf(answerWait(options));
  try {
    const present = await within(existing(manager, name, queue), left(), details);
    if (present !== undefined && (ackWait === undefined || present === nanos(ackWait)))
      return queue;
    const config = {
      durable_name: queue,
      filter_subject: place.subject,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWait ?? ACK_WAIT),
    };
    await within(manager.consumers.add(name, config), left(), details);
    return queue;
  } catch (error) {
    throw failure(error, details);
  }
}

/** The time that a group's receivers have, in nanoseconds; undefined where there is no such group. */
async function existing(
  manager: JetStreamManager,
  stream: string,
  group: string,
): Promise<number | undefined> {
  try {
    const { config } = await manager.consumers.info(stream, group);
    return config.ack_wait ?? nanos(ACK_WAIT);
  } catch (error) {
    if (apiCode(error) === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}

/** A server that does not answer at all is no reason to wait for ever. */
function answerWait({ signal, timeout = Infinity }: NatsOptions): WaitOptions {
  return { signal, timeout: Math.min(timeout, 2 * ANSWER) };
}
