import { closeSync } from 'node:fs';

import type { Bytes, ChannelTraits, Receiver, Sender, WaitOptions } from '@octoipc/core';
import {
  IpcError,
  isIpcError,
  bytes,
  integer,
  iterate,
  optionsObject,
  typeError,
  valueError,
} from '@octoipc/core/kit';

import { AF_UNIX } from './constants.js';
import type { DatagramMessage } from './datagram-message.js';
import { Datagram } from './datagram.js';

/** What both ends of a channel of datagrams take. */
export interface DatagramChannelOptions {
  /** The longest message, in bytes. @default what the kernel's buffers allow, up to 1 MiB */
  readonly maxMessageSize?: number | undefined;
}

const MIB = 1024 * 1024;

/** The kernel's own needs within a send buffer: unix(7). */
const OVERHEAD = 32;

/** The longest payload of UDP over IPv4. */
const UDP_LONGEST = 65_507;

/** What a send to a receiver that is gone fails with. */
const GONE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTCONN', 'ENOENT']);

function traitsOf(socket: Datagram, options: DatagramChannelOptions | undefined): ChannelTraits {
  const { maxMessageSize = MIB } = optionsObject(options);
  integer(maxMessageSize, 'options.maxMessageSize', 0, MIB);
  const local = socket.socket.domain === AF_UNIX;
  const most = local ? socket.sendBufferSize - OVERHEAD : UDP_LONGEST;
  return Object.freeze({
    mechanism: 'datagram',
    boundaries: 'kernel' as const,
    priorities: false,
    persistent: false,
    multipleSenders: true,
    multipleReceivers: false,
    maxMessageSize: Math.min(maxMessageSize, most),
    crossMachine: !local,
  });
}

/** What both ends have in common; each owns its socket. */
abstract class DatagramEnd {
  readonly traits: ChannelTraits;
  protected readonly socket: Datagram;

  constructor(socket: unknown, options: DatagramChannelOptions | undefined) {
    if (!(socket instanceof Datagram)) throw typeError('socket', 'a Datagram', socket);
    this.traits = traitsOf(socket, options);
    this.socket = socket;
  }

  get closed(): boolean {
    return this.socket.closed;
  }

  close(): void {
    this.socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * A connected datagram socket as the sending end of a channel of messages.
 *
 * @param socket - of `Datagram.connect`; the sender owns it from now on
 * @param options - the longest message
 * @returns a sender, which waits while the receiver is full; EPIPE when that is gone
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no datagram socket
 * @example
 * ```js
 * import { Datagram, datagramReceiver, datagramSender } from '@octoipc/socket';
 *
 * const receiver = datagramReceiver(await Datagram.bind({ abstract: 'octoipc-events' }));
 * const sender = datagramSender(await Datagram.connect({ abstract: 'octoipc-events' }));
 * await sender.send('a message');
 * String(await receiver.receive()); //=> 'a message'
 * sender.close();
 * receiver.close();
 * ```
 */
export function datagramSender(socket: Datagram, options?: DatagramChannelOptions): Sender {
  return new DatagramSender(socket, options);
}

/**
 * A bound datagram socket as the receiving end of a channel of messages. It never ends: senders come and
 * go unseen.
 *
 * @param socket - of `Datagram.bind`; the receiver owns it from now on
 * @param options - the longest message
 * @returns a receiver
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no datagram socket
 */
export function datagramReceiver(socket: Datagram, options?: DatagramChannelOptions): Receiver {
  return new DatagramReceiver(socket, options);
}

class DatagramSender extends DatagramEnd implements Sender {
  async send(
    message: Bytes,
    options?: WaitOptions & { readonly priority?: number },
  ): Promise<void> {
    if (options?.priority !== undefined && options.priority !== 0) {
      throw valueError('options.priority', 'is not what a socket has', options.priority);
    }
    const data = this.#checked(message);
    try {
      await this.socket.send(data, undefined, options);
    } catch (error) {
      throw told(error);
    }
  }

  trySend(message: Bytes): boolean {
    const data = this.#checked(message);
    try {
      return this.socket.trySend(data);
    } catch (error) {
      throw told(error);
    }
  }

  #checked(message: Bytes): Uint8Array {
    const data = bytes(message, 'message');
    this.socket.checkOpen('send');
    const { maxMessageSize } = this.traits;
    if (data.length <= maxMessageSize) return data;
    throw new IpcError('EMSGSIZE', {
      ...this.socket.socket.details('send'),
      hint: `the message has ${data.length} bytes, maxMessageSize is ${maxMessageSize}`,
    });
  }
}

function told(error: unknown): unknown {
  if (!isIpcError(error) || !GONE.has(error.code)) return error;
  const { target } = error;
  return new IpcError('EPIPE', { syscall: 'sendmsg', target, cause: error });
}

class DatagramReceiver extends DatagramEnd implements Receiver {
  async receive(options?: WaitOptions): Promise<Buffer> {
    const { signal, timeout } = optionsObject(options);
    return this.#whole(await this.socket.receive({ signal, timeout, ...this.#room() }));
  }

  tryReceive(): Buffer | undefined {
    const message = this.socket.tryReceive(this.#room());
    return message === undefined ? undefined : this.#whole(message);
  }

  /** Messages as they come, until it is closed; leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.receive(wait) });
  }

  #room(): { maxBytes: number } {
    return { maxBytes: Math.max(1, this.traits.maxMessageSize) };
  }

  #whole({ data, truncated, fds }: DatagramMessage): Buffer {
    // Nobody has asked for descriptors.
    for (const fd of fds) closeSync(fd);
    if (!truncated) return data;
    throw new IpcError('EMSGSIZE', {
      ...this.socket.socket.details('receive'),
      hint: `a message had more than maxMessageSize, ${this.traits.maxMessageSize} bytes: it is dropped`,
    });
  }
}
