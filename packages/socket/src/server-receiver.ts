import type { ChannelTraits, IpcError, Receiver, WaitOptions } from '@octoipc/core';
import {
  isIpcError,
  BLOCKED,
  closedError,
  integer,
  iterate,
  optionalBoolean,
  optionsObject,
  Readiness,
  typeError,
  waitOptions,
  WaitQueue,
  YIELD,
  type WakeSource,
} from '@octoipc/core/kit';

import { AF_UNIX } from './constants.js';
import { Member, weakSource } from './member.js';
import type { ServerReceiverOptions } from './server-receiver-options.js';
import { EXHAUSTED, Server } from './server.js';

/** After so many in a row who left, or may not connect, the event loop turns: there may always be one more. */
const GONE_IN_A_ROW = 64;

/** So long a receiver without descriptors waits before it accepts again, in milliseconds. */
const PAUSE = 50;

/** Receivers that somebody waits for: they are not collected meanwhile. */
const awaited = new Set<object>();

/**
 * A server as the receiving end of a channel of messages, to which any number of `socketSender`s connect.
 *
 * They take turns: of those who have sent something each is served one message at a time. Of each no more
 * is taken out of the kernel than one message and what came with its last bytes, so a fast one waits.
 *
 * @param server - the receiver owns it from now on, and accepts whoever its `authorize` lets in
 * @param options - whether it outlives its senders, and how many it serves at a time
 * @returns a receiver; unless it is persistent, its end is when the last sender has left
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is no server
 * @throws {IpcError} ERR_UNSUPPORTED when its connections begin with TLS
 * @example
 * ```js
 * import { connect, listen, serverReceiver, socketSender } from '@octoipc/socket';
 *
 * const receiver = serverReceiver(await listen({ abstract: 'octoipc-inbox' }));
 * const one = socketSender(await connect('unix:@octoipc-inbox'));
 * const other = socketSender(await connect('unix:@octoipc-inbox'));
 * await one.send('of one');
 * await other.send('of another');
 * [String(await receiver.receive()), String(await receiver.receive())]; //=> ['of one', 'of another']
 * one.close();
 * other.close();
 * await receiver.receive(); //=> null
 * receiver.close();
 * ```
 */
export function serverReceiver(server: Server, options?: ServerReceiverOptions): Receiver {
  return new ServerReceiver(server, options);
}

function traitsOf(server: Server): ChannelTraits {
  return Object.freeze({
    mechanism: 'socket',
    boundaries: server.type === 'seqpacket' ? ('kernel' as const) : ('frames' as const),
    priorities: false,
    persistent: false,
    multipleSenders: true,
    multipleReceivers: false,
    maxMessageSize: server.maxMessageSize,
    crossMachine: server.socket.domain !== AF_UNIX,
  });
}

/**
 * Lifetime: that of its server and of all connections, which it closes. What wakes it knows it weakly, so
 * one that nobody waits for and nobody refers to goes with its descriptors, which warn.
 */
class ServerReceiver implements Receiver {
  readonly traits: ChannelTraits;
  readonly #server: Server;
  readonly #persistent: boolean;
  readonly #most: number;
  readonly #readiness: Readiness;
  readonly #arrivals: ReturnType<typeof weakSource>;
  readonly #members = new Set<Member>();
  /** Those who may have sent something, in turn. */
  readonly #ready: Member[] = [];
  readonly #queue: WaitQueue;
  #wake: (() => void) | undefined;
  #retry: NodeJS.Timeout | undefined;
  #arriving = true;
  /** Whether more wait in the backlog than were looked at. */
  #crowded = false;
  #visited = false;
  #ended = false;
  #closed = false;
  /** What went wrong with a sender: told at the end, which would look like a good one. */
  #failure: IpcError | undefined;
  readonly #warned = new Set<string>();

  constructor(server: Server, options: ServerReceiverOptions | undefined) {
    if (!(server instanceof Server)) throw typeError('server', 'a Server', server);
    const { persistent, maxConnections = 1024 } = optionsObject(options);
    this.#persistent = optionalBoolean(persistent, 'options.persistent') ?? false;
    this.#most = integer(maxConnections, 'options.maxConnections', 1);
    this.traits = traitsOf(server);
    this.#server = server;
    this.#readiness = Readiness.of(server.socket.binding);
    this.#queue = new WaitQueue(this.#source());
    this.#accept();
    this.#arrivals = weakSource(server, this, (receiver) => {
      receiver.#arriving = true;
      receiver.#wake?.();
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  receive(options?: WaitOptions): Promise<Buffer | null> {
    try {
      const wait = waitOptions(options);
      this.#checkOpen();
      return this.#queue.run(() => this.#take(), wait, { details: this.#details() });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  tryReceive(): Buffer | null | undefined {
    this.#checkOpen();
    if (this.#queue.length > 0) return undefined;
    const most = this.#most + 1;
    let message = this.#take(most);
    if (message === BLOCKED) {
      // Who does not let the event loop turn is told of nothing: look.
      this.#arriving = true;
      for (const member of this.#members) this.#list(member);
      message = this.#take(most);
    }
    return message === BLOCKED || message === YIELD ? undefined : message;
  }

  /** Messages until the end, or until it is closed; leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.receive(wait) });
  }

  /** Closes the server and all connections; what is unread is lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shut();
    this.#queue.fail(closedError(this.#details()));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #details(): { syscall: string; target: string | number } {
    return this.#server.socket.details('receive');
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError(this.#details());
  }

  #source(): WakeSource {
    return {
      listen: (wake) => {
        this.#wake = wake;
        awaited.add(this);
        this.#readiness.keep(1);
      },
      rest: () => {
        if (this.#wake === undefined) return;
        this.#wake = undefined;
        awaited.delete(this);
        this.#readiness.keep(-1);
      },
    };
  }

  /** The next message of whoever's turn it is; null at the end. */
  #take(most = GONE_IN_A_ROW): Buffer | null | typeof BLOCKED | typeof YIELD {
    for (let gone = 0; gone < most;) {
      if (this.#ended) return null;
      this.#accept();
      const member = this.#ready.shift();
      if (member === undefined) {
        if (this.#crowded) return YIELD;
        if (this.#persistent || !this.#visited || this.#members.size > 0) return BLOCKED;
        // Somebody may have come of whom we were not told yet.
        this.#arriving = true;
        this.#accept();
        if (this.#crowded) return YIELD;
        if (this.#members.size === 0) return this.#end();
        continue;
      }
      member.listed = false;
      const message = this.#messageOf(member);
      if (message === null) {
        this.#drop(member);
        gone += 1;
      }
      if (message === null || message === undefined) continue;
      this.#list(member);
      return message;
    }
    return YIELD;
  }

  #messageOf(member: Member): Buffer | null | undefined {
    try {
      return member.connection.tryReceive();
    } catch (error) {
      if (!isIpcError(error)) throw error;
      this.#tell(error);
      return null;
    }
  }

  /** One sender's fault is not the others': it is cut off, and the receiver goes on. */
  #tell(error: IpcError): void {
    if (!this.#persistent) {
      this.#failure ??= error;
    } else if (!this.#warned.has(error.code)) {
      this.#warned.add(error.code);
      const { message, code } = error;
      process.emitWarning(`a sender was cut off: ${message}`, { type: 'IpcSenderWarning', code });
    }
  }

  #end(): null {
    this.#ended = true;
    this.#shut();
    if (this.#failure === undefined) return null;
    throw this.#failure;
  }

  #accept(): void {
    this.#crowded = false;
    while (this.#arriving && this.#members.size < this.#most) {
      try {
        const connection = this.#server.takeNow();
        if (connection === YIELD) {
          this.#crowded = true;
          return;
        }
        if (connection === BLOCKED) {
          this.#arriving = false;
          return;
        }
        this.#join(new Member(connection, (member) => this.#waken(member)));
      } catch (error) {
        if (!isIpcError(error) || !EXHAUSTED.has(error.code)) throw error;
        this.#arriving = false;
        this.#retry ??= setTimeout(() => {
          this.#retry = undefined;
          this.#arriving = true;
          this.#wake?.();
        }, PAUSE).unref();
        return;
      }
    }
  }

  #join(member: Member): void {
    this.#visited = true;
    this.#members.add(member);
    this.#list(member);
  }

  #drop(member: Member): void {
    this.#members.delete(member);
    member.close();
    // There may have been no room for the next.
    if (this.#members.size === this.#most - 1) this.#arriving = true;
  }

  #waken(member: Member): void {
    if (!this.#members.has(member)) return;
    this.#list(member);
    this.#wake?.();
  }

  #list(member: Member): void {
    if (member.listed) return;
    member.listed = true;
    this.#ready.push(member);
  }

  #shut(): void {
    clearTimeout(this.#retry);
    this.#arrivals.dispose();
    this.#server.close();
    for (const member of this.#members) member.close();
    this.#members.clear();
    this.#ready.length = 0;
  }
}
