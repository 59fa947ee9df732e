import { IpcError, type Bytes, type ChannelTraits, type IpcErrorDetails } from '@octoipc/core';
import { bytes, optionsObject, valueError, waitOptions } from '@octoipc/core/kit';
import type { WaitOptions } from '@octoipc/core';

import type { Link } from './link.js';

/** What `send` takes. */
export type SendOptions = WaitOptions & { readonly priority?: number };

/** What JetStream needs of a payload for headers: a message's id, and what the server adds. */
const HEADERS = 256;

/** What a server of this connection takes. */
export function traitsOf(link: Link, jetstream: boolean): ChannelTraits {
  const most = link.nc.info?.max_payload ?? 1024 * 1024;
  return Object.freeze({
    mechanism: jetstream ? 'nats+jetstream' : 'nats',
    boundaries: 'frames' as const,
    priorities: false,
    persistent: jetstream,
    multipleSenders: true,
    multipleReceivers: true,
    maxMessageSize: jetstream ? most - HEADERS : most,
    crossMachine: true,
  });
}

/**
 * A message as bytes of its own: the client library writes it later.
 *
 * @throws {IpcError} EMSGSIZE when the server would not take it
 */
export function payloadOf(message: Bytes, traits: ChannelTraits, details: IpcErrorDetails): Buffer {
  const data = bytes(message, 'message');
  const { maxMessageSize } = traits;
  if (data.length <= maxMessageSize) return Buffer.from(data);
  throw new IpcError('EMSGSIZE', {
    syscall: 'send',
    ...details,
    hint: `the message has ${data.length} bytes, the server takes ${maxMessageSize}: raise max_payload in its configuration, or send the message in parts`,
  });
}

/** Checks what `send` takes. */
export function sendWait(options: SendOptions | undefined): WaitOptions {
  const { priority } = optionsObject<SendOptions>(options);
  if (priority !== undefined && priority !== 0) {
    throw valueError('options.priority', 'is not what NATS has', priority);
  }
  const wait = waitOptions(options);
  wait.signal?.throwIfAborted();
  return wait;
}
