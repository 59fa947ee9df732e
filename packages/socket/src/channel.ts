import type { Bytes, ChannelTraits, Receiver, Sender, WaitOptions } from '@octoipc/core';
import { closedError, typeError, valueError } from '@octoipc/core/kit';

import { Connection } from './connection.js';
import { AF_UNIX, SHUT_RD } from './constants.js';

/** Which ends of a connection channels have: the last one to close closes it. */
const halves = new WeakMap<Connection, Set<object>>();

function join(connection: unknown, half: object): Connection {
  if (!(connection instanceof Connection)) {
    throw typeError('connection', 'a Connection', connection);
  }
  const all = halves.get(connection) ?? new Set();
  all.add(half);
  halves.set(connection, all);
  return connection;
}

/** Leaves; whether it was the last. */
function leave(connection: Connection, half: object): boolean {
  const all = halves.get(connection);
  all?.delete(half);
  return all === undefined || all.size === 0;
}

function traitsOf(connection: Connection): ChannelTraits {
  return Object.freeze({
    mechanism: 'socket',
    boundaries: connection.type === 'seqpacket' ? ('kernel' as const) : ('frames' as const),
    priorities: false,
    persistent: false,
    multipleSenders: false,
    multipleReceivers: false,
    maxMessageSize: connection.maxMessageSize,
    crossMachine: connection.socket.domain !== AF_UNIX,
  });
}

/**
 * A connection as the sending end of a channel of messages.
 *
 * @param connection - closed by whichever of its sender and its receiver is closed last
 * @returns a sender, whose `close()` the other side sees as the end
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no connection
 */
export function socketSender(connection: Connection): Sender {
  return new SocketSender(connection);
}

/**
 * A connection as the receiving end of a channel of messages.
 *
 * @param connection - closed by whichever of its sender and its receiver is closed last
 * @returns a receiver
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no connection
 */
export function socketReceiver(connection: Connection): Receiver {
  return new SocketReceiver(connection);
}

/** What both halves have in common. */
abstract class Half {
  readonly traits: ChannelTraits;
  protected readonly connection: Connection;
  #closed = false;

  constructor(connection: unknown) {
    this.connection = join(connection, this);
    this.traits = traitsOf(this.connection);
  }

  get closed(): boolean {
    return this.#closed || this.connection.closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const last = leave(this.connection, this);
    if (this.connection.closed) return;
    if (last) this.connection.close();
    else this.shut();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Ends this direction, while the other goes on. */
  protected abstract shut(): void;

  protected checkOpen(syscall: string): void {
    if (this.closed) throw closedError({ syscall });
  }
}

class SocketSender extends Half implements Sender {
  send(message: Bytes, options?: WaitOptions & { readonly priority?: number }): Promise<void> {
    try {
      this.checkOpen('send');
      if (options?.priority !== undefined && options.priority !== 0) {
        throw valueError('options.priority', 'is not what a socket has', options.priority);
      }
      return this.connection.send(message, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  trySend(message: Bytes): boolean {
    this.checkOpen('send');
    return this.connection.trySend(message);
  }

  protected override shut(): void {
    this.connection.end().catch(() => {});
  }
}

class SocketReceiver extends Half implements Receiver {
  receive(options?: WaitOptions): Promise<Buffer | null> {
    try {
      this.checkOpen('receive');
      return this.connection.receive(options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  tryReceive(): Buffer | null | undefined {
    this.checkOpen('receive');
    return this.connection.tryReceive();
  }

  /** Messages until the end, or until it is closed; leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    const messages = this.connection.iterateMessages();
    const wasOpen = !this.closed;
    // Of the connection's own steps, which cost no promise more: it may outlive this end.
    const steps: AsyncIterableIterator<Buffer> = {
      next: () => {
        if (!this.closed) return messages.next();
        if (wasOpen) return Promise.resolve({ done: true, value: undefined });
        return Promise.reject(closedError({ syscall: 'receive' }));
      },
      return: () => messages.return!(),
      [Symbol.asyncIterator]: () => steps,
    };
    return steps;
  }

  protected override shut(): void {
    this.connection.shutdown(SHUT_RD);
  }
}
