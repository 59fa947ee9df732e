import type { Receiver, Sender, WaitOptions } from '@octoipc/core';

import type { ReceiverOptions, SenderOptions } from './options.js';

/** What an end may tell beside what every sender and receiver has. */
export interface SchemeEnd {
  /** Where it is, if that is not the URL that it was opened by. */
  readonly url?: string;
  /** Acknowledges what was received so far. */
  done?(): Promise<void>;
  /** Closes it, and waits for what becomes of what was sent. */
  finish?(options?: WaitOptions): Promise<void>;
}

/** How the channels of a scheme are opened; what it cannot do is missing. */
export interface Scheme {
  /** Opens the sending end. */
  sender?(url: string, options: SenderOptions): (Sender & SchemeEnd) | Promise<Sender & SchemeEnd>;
  /** Opens the receiving end. */
  receiver?(
    url: string,
    options: ReceiverOptions,
  ): (Receiver & SchemeEnd) | Promise<Receiver & SchemeEnd>;
}

/** The schemes that are built in, each with a URL that is a good one. */
export const EXAMPLES = {
  pipe: 'pipe:3',
  fifo: 'fifo:/run/jobs',
  mq: 'mq:/jobs',
  'sysv-mq': 'sysv-mq:0x1234',
  shm: 'shm:/ring',
  unix: 'unix:/run/jobs.sock',
  'unix+seqpacket': 'unix+seqpacket:/run/jobs.sock',
  'unix+dgram': 'unix+dgram:/run/jobs.sock',
  tcp: 'tcp://127.0.0.1:7000',
  popen: 'popen:gzip -dc jobs.gz',
  nats: 'nats://127.0.0.1:4222/jobs',
  'nats+jetstream': 'nats+jetstream://127.0.0.1:4222/jobs',
} as const;

/** A scheme that is built in. */
export type BuiltIn = keyof typeof EXAMPLES;

/** ES modules and CommonJS have a copy of this module each, and one registry. */
const KEY = Symbol.for('octoipc.schemes');
const shared = globalThis as { [KEY]?: Map<string, Scheme> };

/** The schemes that programs have added, by name. */
export const registered: Map<string, Scheme> = (shared[KEY] ??= new Map<string, Scheme>());

/** The names of all schemes that `openSender` and `openReceiver` know. */
export function schemes(): string[] {
  return [...Object.keys(EXAMPLES), ...registered.keys()];
}

/**
 * Adds a scheme: from now on `openSender` and `openReceiver` take its URLs.
 *
 * @param name - what its URLs begin with, before the colon: a lower case letter, then such letters,
 *   digits, `+`, `.` and `-`
 * @param scheme - how its ends are opened; they get the whole URL and all options but the codec
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when the name is none, or taken
 * @example
 * ```js
 * import { openReceiver, openSender, registerScheme } from 'octoipc';
 * import { createPipe, pipeReceiver, pipeSender } from '@octoipc/pipe';
 *
 * const { reader, writer } = createPipe();
 * registerScheme('loop', {
 *   sender: () => pipeSender(writer),
 *   receiver: () => pipeReceiver(reader),
 * });
 * const sender = await openSender('loop:', { codec: 'json' });
 * const receiver = await openReceiver('loop:', { codec: 'json' });
 * await sender.send({ task: 'resize' });
 * await receiver.receive(); //=> { task: 'resize' }
 * ```
 */
export function registerScheme(name: string, scheme: Scheme): void {
  if (typeof name !== 'string') throw invalid('TYPE', 'name must be a string');
  if (!/^[a-z][a-z0-9+.-]*$/.test(name)) {
    throw invalid('VALUE', `name must be like 'my-scheme'; received '${name}'`);
  }
  if (schemes().includes(name)) throw invalid('VALUE', `the scheme '${name}' is there already`);
  if (typeof scheme !== 'object' || scheme === null) {
    throw invalid('TYPE', 'scheme must be an object');
  }
  const ends = [scheme.sender, scheme.receiver].filter((end) => end !== undefined);
  if (ends.length === 0 || ends.some((end) => typeof end !== 'function')) {
    throw invalid('TYPE', 'scheme must have the functions sender and receiver, or one of them');
  }
  registered.set(name, scheme);
}

/** An error as the kit makes them, without loading it. */
function invalid(what: 'TYPE' | 'VALUE', message: string): TypeError {
  return Object.assign(new TypeError(message), { code: `ERR_INVALID_ARG_${what}` });
}
