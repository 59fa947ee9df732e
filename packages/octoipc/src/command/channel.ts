import { IpcError, isIpcError, type Bytes, type WaitOptions } from '@octoipc/core';

import type { ReceiverOptions, SenderOptions } from '../channels/options.js';
import { openReceiver, openSender } from '../channels/entry.js';
import { SendingEnd } from '../channels/ends.js';
import { mq } from '../index.js';
import { decodeName } from '../objects/address.js';
import { UsageError } from './verb.js';

/** What `send` and `recv` have in common. */
export interface ChannelVerbOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly frames?: boolean;
  readonly lines?: boolean;
  readonly file?: string;
  readonly count?: number;
  readonly rate?: number;
  readonly create?: boolean;
  readonly mode?: number;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly maxSize?: number;
  readonly manySenders?: boolean;
  /** Of a System V queue. */
  readonly type?: number;
}

/** An open sending end. */
export interface Outlet {
  readonly longest: number;
  send(message: Bytes, wait: WaitOptions): Promise<void>;
  /** All that is to be sent was: closes it, and waits for what becomes of it where that is told. */
  done(wait: WaitOptions): Promise<void>;
  close(): void;
}

/** An open receiving end. */
export interface Inlet {
  receive(wait: WaitOptions): Promise<Buffer | null>;
  /** All that was received is printed: where the mechanism acknowledges, none of it comes again. */
  done(): Promise<void>;
  close(): void;
}

/** Schemes whose rest is a name, which `ls` may print with %XX. */
const NAMED = /^(?:mq|shm|fifo|unix(?:\+\w+)?):/;

/** A URL as channels take it. */
function channelUrl(url: string): string {
  return NAMED.test(url) ? decodeName(url) : url;
}

function common(options: ChannelVerbOptions, wait: WaitOptions): SenderOptions & ReceiverOptions {
  const { create, mode, maxSize, manySenders } = options;
  return {
    ...wait,
    ...(create === undefined ? {} : { create }),
    ...(mode === undefined ? {} : { mode }),
    ...(maxSize === undefined ? {} : { maxMessageSize: maxSize }),
    ...(manySenders === undefined ? {} : { multipleSenders: manySenders }),
  };
}

/**
 * Opens what a URL names, to send.
 *
 * @param url - of the channel
 * @param options - of the command line; `priority` as the mechanism has it
 * @param wait - how long to wait for whoever must be there
 * @returns the end
 */
export async function openOutlet(
  url: string,
  options: ChannelVerbOptions & { readonly priority?: number },
  wait: WaitOptions,
): Promise<Outlet> {
  const { priority, type } = options;
  if (type !== undefined) {
    const queue = typedQueue(url, options);
    return {
      longest: Math.min(queue.maxMessageSize, queue.stat().maxBytes),
      send: (message, waiting) => queue.send(message, { type, ...waiting }),
      done: () => Promise.resolve(),
      close: () => queue.close(),
    };
  }
  const sender = await openSender(channelUrl(url), {
    ...common(options, wait),
    ...(priority === undefined ? {} : { priority }),
  }).catch((error: unknown) => {
    throw advised(error, url);
  });
  return {
    longest: sender.traits.maxMessageSize,
    send: (message, waiting) =>
      sender.send(typeof message === 'string' ? Buffer.from(message) : message, waiting),
    done: async (waiting) => {
      if (sender instanceof SendingEnd) await sender.finish(waiting);
    },
    close: () => sender.close(),
  };
}

/** Opens what a URL names, to receive. */
export async function openInlet(
  url: string,
  options: ChannelVerbOptions & { readonly keep?: boolean },
  wait: WaitOptions,
): Promise<Inlet> {
  const { keep, type } = options;
  if (type !== undefined) {
    const queue = typedQueue(url, options);
    return {
      receive: async (waiting) => (await queue.receive({ type, ...waiting })).data,
      done: () => Promise.resolve(),
      close: () => queue.close(),
    };
  }
  return openReceiver(channelUrl(url), {
    ...common(options, wait),
    ...(keep === undefined ? {} : { persistent: keep }),
  }).catch((error: unknown) => {
    throw advised(error, url);
  });
}

/** What can be made by name. */
const MADE = /^(?:fifo:|mq:|sysv-mq:(?!id=)|shm:|nats\+jetstream:)/;

/** What the packages advise is for programs: of what is missing, here it is an option that makes it. */
function advised(error: unknown, url: string): unknown {
  if (!isIpcError(error, 'ENOENT') || !MADE.test(url)) return error;
  const { syscall, target } = error;
  return new IpcError('ENOENT', { syscall, target, hint: '--create makes it', cause: error });
}

/** What else the options of these verbs may ask for. */
interface Asked extends ChannelVerbOptions {
  readonly priority?: number;
  readonly keep?: boolean;
}

/** Types are what System V queues have, and nobody else. */
function typedQueue(url: string, options: Asked): ReturnType<typeof mq.SysvQueue.open> {
  const { create, mode } = options;
  const [, id, key] = /^sysv-mq:(?:id=(\d{1,10})|(0[xX][\da-fA-F]{1,8}|\d{1,10}))$/.exec(url) ?? [];
  checkTyped(options);
  if (id !== undefined && create !== true) return mq.SysvQueue.fromId(Number(id));
  if (key === undefined) throw new UsageError('--type is for sysv-mq:0xKEY and sysv-mq:id=N');
  try {
    return mq.SysvQueue.open(Number(key), {
      ...(create === undefined ? {} : { create }),
      ...(mode === undefined ? {} : { mode }),
    });
  } catch (error) {
    throw advised(error, url);
  }
}

/** Refuses what would be refused without a type, too. */
function checkTyped({ priority, keep, maxSize, create, mode }: Asked): void {
  const others = { '--priority': priority, '--keep': keep, '--max-size': maxSize };
  const other = Object.entries(others).find(([, value]) => value !== undefined);
  if (other !== undefined) throw new UsageError(`${other[0]} is nothing that sysv-mq: can honour`);
  if (mode !== undefined && create !== true) {
    throw new UsageError('--mode is of a queue that is made: add --create');
  }
}

/** Only one of these can be meant; and a packet without bytes, by which a file ends, there is not. */
export function checkForms(
  url: string,
  { lines, frames, file, json }: ChannelVerbOptions,
  receives: boolean,
): void {
  if (file !== undefined && url.startsWith('unix+seqpacket:')) {
    throw new UsageError(
      '--file is not for unix+seqpacket:, which has no empty message to end it by: take unix:',
    );
  }
  const forms = [lines, frames, file !== undefined, receives && json].filter(Boolean).length;
  if (forms > 1) {
    const names = receives
      ? '--lines, --frames, --file and --json'
      : '--lines, --frames and --file';
    throw new UsageError(`only one of ${names} can be meant`);
  }
}

/** What a wait ends with that was ended from outside; anything else is an error. */
export function unlessAborted(error: unknown, signal: AbortSignal): void {
  if (!signal.aborted) throw error;
  if (error instanceof IpcError && error.code === 'ETIMEDOUT') throw error;
}
