import { IpcError, isIpcError, type Bytes, type Sender, type WaitOptions } from '@octoipc/core';
import type { Connection, ConnectionType } from '@octoipc/socket';

import { badUrl, checkOptions, given, pathOf, restOf } from '../check.js';
import type { ChannelOptions, ReceiverOptions } from '../options.js';
import { patiently } from '../patience.js';
import type { Scheme } from '../registry.js';
import { ToldReceiver, ToldSender } from '../traits.js';
import { owning } from './pipe.js';

type Name = 'unix' | 'unix+seqpacket' | 'tcp';

/** Frames over streams, or packets: one listens, any number connect. */
export const scheme: Scheme = {
  async sender(url, options) {
    const name = nameOf(url);
    checkOptions(name, options, ['maxMessageSize'], 'many');
    const { address, type } = placeOf(name, url, false);
    const { connect, socketSender } = await import('@octoipc/socket');
    const limit = given({ maxMessageSize: options.maxMessageSize });
    const connection = await patiently(
      (left) => connect(address, { ...left, ...limit, type }),
      url,
      options,
    );
    return owning(connection, () => {
      const sender = new ConnectedSender(connection, socketSender(connection), url);
      return new ToldSender(sender, { mechanism: name, multipleSenders: true });
    });
  },
  async receiver(url, options) {
    const name = nameOf(url);
    checkOptions(name, options, takenBy(name), 'many');
    const { address, type } = placeOf(name, url, true);
    const { listen, serverReceiver } = await import('@octoipc/socket');
    const server = await listen(address, { type, ...listening(name, options) });
    return owning(server, () => {
      const receiver = serverReceiver(server, { persistent: options.persistent });
      const { local } = server;
      const told = name === 'tcp' && local !== null && 'port' in local && 'host' in local;
      return new ToldReceiver(receiver, {
        mechanism: name,
        ...(told ? { url: tcpUrl(local.host, local.port) } : {}),
      });
    });
  },
};

function nameOf(url: string): Name {
  return url.slice(0, url.indexOf(':')) as Name;
}

function takenBy(name: Name): readonly (keyof ReceiverOptions)[] {
  const all = ['maxMessageSize', 'persistent'] as const;
  return name === 'tcp' ? all : [...all, 'mode', 'reclaim'];
}

function listening(name: Name, options: ReceiverOptions): object {
  const { signal, maxMessageSize, mode, create, reclaim = create } = options;
  return given({ signal, maxMessageSize, mode, ...(name === 'tcp' ? {} : { reclaim }) });
}

function placeOf(
  name: Name,
  url: string,
  listens: boolean,
): { address: string; type: ConnectionType } {
  if (name === 'tcp') return { address: tcpAddress(url, listens), type: 'stream' };
  const type = name === 'unix' ? 'stream' : 'seqpacket';
  return { address: unixAddress(name, url), type };
}

/** The address of a Unix socket, as the socket package has it. */
export function unixAddress(name: 'unix' | 'unix+seqpacket' | 'unix+dgram', url: string): string {
  const path = pathOf(name, url);
  if (path === '@') throw badUrl(name, url, 'must have a name behind the @');
  return `unix:${path}`;
}

function tcpAddress(url: string, listens: boolean): string {
  const [, port] = /^\/\/(?:\[[0-9a-f:.%]+\]|[^\s:/?#[\]@]+):(\d+)\/?$/i.exec(restOf(url)) ?? [];
  if (port === undefined) throw badUrl('tcp', url, 'must have two slashes, a host and a port');
  const number = Number(port);
  if (number > 65_535) throw badUrl('tcp', url, 'has a port over 65535');
  if (number === 0 && !listens) throw badUrl('tcp', url, 'has no port to connect to');
  return url;
}

function tcpUrl(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What is told as a receiver that is gone, however the kernel puts it. */
const GONE: ReadonlySet<string> = new Set(['ECONNRESET', 'ENOTCONN']);

/**
 * A sender of a receiver that never says anything: what comes from it is its end.
 *
 * TCP takes a message for one who has left, and tells with the next; so it is asked first.
 */
class ConnectedSender implements Sender {
  readonly traits: Sender['traits'];
  readonly #connection: Connection;
  readonly #sender: Sender;
  readonly #url: string;
  #asked = false;

  constructor(connection: Connection, sender: Sender, url: string) {
    this.traits = sender.traits;
    this.#connection = connection;
    this.#sender = sender;
    this.#url = url;
  }

  get closed(): boolean {
    return this.#sender.closed;
  }

  close(): void {
    this.#sender.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async send(
    message: Bytes,
    options?: WaitOptions & { readonly priority?: number },
  ): Promise<void> {
    try {
      this.#ask();
      await this.#sender.send(message, options);
    } catch (error) {
      throw this.#told(error);
    }
  }

  trySend(message: Bytes): boolean {
    try {
      this.#ask();
      return this.#sender.trySend(message);
    } catch (error) {
      throw this.#told(error);
    }
  }

  #ask(): void {
    if (this.#asked || this.closed || !this.#url.startsWith('tcp:')) return;
    // Once for all that is sent in a row.
    this.#asked = true;
    queueMicrotask(() => {
      this.#asked = false;
    });
    if (this.#connection.tryRead({ maxBytes: 1 }) === null) throw this.#gone(undefined);
  }

  #told(error: unknown): unknown {
    return isIpcError(error) && GONE.has(error.code) ? this.#gone(error) : error;
  }

  #gone(cause: unknown): IpcError {
    return new IpcError('EPIPE', { syscall: 'send', target: this.#url, cause });
  }
}

/** What unix+dgram and the streams share of a receiver's options. */
export function boundOptions(options: ChannelOptions & ReceiverOptions): object {
  const { mode, create, reclaim = create } = options;
  return given({ mode, reclaim });
}
