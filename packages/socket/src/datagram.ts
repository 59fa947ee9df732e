import type { Bytes, WaitOptions } from '@octoipc/core';
import {
  IpcError,
  BLOCKED,
  busyError,
  check,
  checkTimeout,
  closedError,
  iterate,
  optionsObject,
  waitOptions,
  waitSync,
} from '@octoipc/core/kit';

import { parseAddress, type Address } from './address.js';
import { BATCH } from './binding.js';
import { afterTurn, Burst, SENT } from './burst.js';
import { AF_UNIX, SOCK_DGRAM } from './constants.js';
import {
  nextDatagram,
  aheadOf,
  closeAhead,
  receivingDatagram,
  sendingDatagram,
  sendPlainDatagram,
} from './datagram-calls.js';
import type { DatagramMessage } from './datagram-message.js';
import type {
  DatagramBindOptions,
  DatagramReceiveOptions,
  DatagramSendOptions,
} from './datagram-options.js';
import { hasRoom, oneAddress, passCredentials, prepare, room, routeTo } from './datagram-socket.js';
import { Destination } from './destination.js';
import { Destinations } from './destinations.js';
import { adoptSocket, makeSocket, type SocketEnd } from './end.js';
import type { FdSource } from './fds.js';
import { checkMode } from './listen.js';
import { Place, Route } from './place.js';
import { familyOf, showAddress, type SocketAddress } from './sockaddr.js';
import { SocketHandle } from './socket-handle.js';

/**
 * A socket of datagrams: each arrives whole, or not at all. Over Unix sockets none is lost or overtaken,
 * and each comes with its sender's address and identity; over UDP, with its address.
 *
 * Lifetime: it owns its descriptor, and the file of its path, until `close()` or `release()`. Where a
 * receiver is full `send` waits until it has room, and for that receiver only; senders to it are served
 * first come, first served.
 *
 * @example
 * ```js
 * import { Datagram } from '@octoipc/socket';
 *
 * const server = await Datagram.bind({ abstract: 'octoipc-clock' });
 * const client = await Datagram.bind();
 * await client.send('what time is it?', server.local);
 * const { data, from, peer } = await server.receive();
 * peer.pid === process.pid; //=> true
 * await server.send(`you asked: ${data}`, from);
 * String((await client.receive()).data); //=> 'you asked: what time is it?'
 * server.close();
 * client.close();
 * ```
 * @see unix(7), udp(7)
 */
export class Datagram extends SocketHandle implements AsyncIterable<DatagramMessage> {
  readonly #place: Place | undefined;
  /** Taken out of the kernel already; the next one is the last. */
  readonly #ahead = aheadOf(this);
  readonly #burst = new Burst();
  /** Receivers that somebody waits for, by their address. */
  readonly #destinations = new Destinations({
    hasRoom: () => hasRoom(this.socket),
    room: (wait) => room(this, wait),
  });

  private constructor(end: SocketEnd, place?: Place) {
    super(end);
    this.#place = place;
  }

  /**
   * A socket with a name, to which others can send.
   *
   * @param address - where; none: an abstract name that the kernel chooses
   * @throws {IpcError} EADDRINUSE when somebody has the address
   * @throws {IpcError} ENAMETOOLONG when the path is over 107 bytes
   * @see bind(2)
   */
  static override async bind(address?: Address, options?: DatagramBindOptions): Promise<Datagram> {
    const { mode = 0o600, reclaim = false } = optionsObject(options);
    checkMode(mode);
    const where = await oneAddress(address ?? { autobind: true });
    const end = makeSocket(familyOf(where), SOCK_DGRAM, where);
    try {
      prepare(end);
      return new Datagram(end, Place.bind(end, where, { mode, reclaim }));
    } catch (error) {
      end.binding.close(end.fd);
      throw error;
    }
  }

  /**
   * A socket that sends to one receiver, and receives from nobody else.
   *
   * @param address - the receiver's
   * @throws {IpcError} ENOENT or ECONNREFUSED when nobody has it
   * @see connect(2)
   */
  static async connect(address: Address): Promise<Datagram> {
    const where = await oneAddress(address);
    const end = makeSocket(familyOf(where), SOCK_DGRAM, where);
    try {
      prepare(end);
      const route = new Route(where);
      const result = end.binding.connect(end.fd, route.bytes);
      route.close();
      check(result, 'connect', { target: showAddress(where) });
      return new Datagram(end);
    } catch (error) {
      end.binding.close(end.fd);
      throw error;
    }
  }

  /**
   * Takes over a descriptor: from now on this handle closes it.
   *
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is no datagram socket
   * @throws {IpcError} EBADF when it is not open, EEXIST when another handle owns it
   */
  static fromFd(fd: number): Datagram {
    const end = adoptSocket(fd, [SOCK_DGRAM]);
    passCredentials(end);
    return new Datagram(end);
  }

  /** The receiver that it is connected to; `null` if it is not. */
  get remote(): SocketAddress | null {
    this.checkOpen('getpeername');
    return this.socket.remoteAddress();
  }

  /**
   * Sends one datagram; waits while the receiver is full.
   *
   * @param data - bytes, none too
   * @param to - the receiver, as `from` has it; a connected socket knows it
   * @param options - descriptors, and how long
   * @throws {IpcError} EMSGSIZE when it is longer than the socket takes
   * @throws {IpcError} ECONNREFUSED or ENOENT when nobody has the address
   * @throws {IpcError} EPERM when the receiver is connected to somebody else
   * @throws {IpcError} ETIMEDOUT when the timeout is over; nothing was sent then
   */
  send(data: Bytes, to?: Address | null, options?: DatagramSendOptions): Promise<void> {
    if (to !== undefined || options !== undefined) return this.#send(data, to, options);
    try {
      const now = this.#burst.goesOn();
      if (now && sendPlainDatagram(this, data, false)) return SENT;
      this.#burst.end();
      const put = sendingDatagram(this, data, undefined, undefined);
      const details = this.socket.details('sendmsg');
      return this.waitFor('writable', now ? put : afterTurn(put), {}, { details });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sends if that needs no waiting; false, and nothing sent, if it does. */
  trySend(data: Bytes, to?: Address | null, options?: Pick<DatagramSendOptions, 'fds'>): boolean {
    if (to === undefined && options === undefined) return sendPlainDatagram(this, data, false);
    const route = routeTo(this, to);
    try {
      const put = sendingDatagram(this, data, route, options);
      const waited =
        route === undefined ? this.isWaiting('writable') : this.#destinations.isWaiting(route);
      return !waited && put() !== BLOCKED;
    } finally {
      route?.close();
    }
  }

  /** {@link send} that blocks this thread. */
  sendSync(
    data: Bytes,
    to?: Address | null,
    options?: { readonly fds?: readonly FdSource[]; readonly timeout?: number },
  ): void {
    if (to === undefined && options === undefined && sendPlainDatagram(this, data, true)) return;
    checkTimeout(optionsObject(options).timeout);
    const route = routeTo(this, to);
    let destination: Destination | undefined;
    try {
      const put = sendingDatagram(this, data, route, options);
      const details = this.socket.details('sendmsg');
      if (route === undefined ? this.isWaiting('writable') : this.#destinations.isWaiting(route)) {
        throw busyError(details);
      }
      const sleep = (milliseconds: number): void => {
        if (route === undefined || this.socket.domain !== AF_UNIX || !hasRoom(this.socket)) {
          this.sleep('writable', milliseconds);
          return;
        }
        destination ??= Destination.of(route, this.socket.target);
        destination.sleep(milliseconds);
      };
      waitSync(put, sleep, options?.timeout, { details });
    } finally {
      destination?.close();
      route?.close();
    }
  }

  /**
   * Receives one datagram.
   *
   * @returns the bytes, and who sent them
   * @throws {IpcError} ERR_FDS_TRUNCATED when more descriptors came than were asked for, or than this
   *   process can have: all of them are closed then, and the error's `data` has the bytes
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  receive(options?: DatagramReceiveOptions): Promise<DatagramMessage> {
    try {
      const take = receivingDatagram(this, this.#ahead, options, BATCH);
      const details = { details: this.describe(), ready: () => this.#ahead.length > 0 };
      return this.waitFor('readable', take, waitOptions(options), details);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** {@link receive} without waiting: `undefined` if there is nothing now. */
  tryReceive(
    options?: Omit<DatagramReceiveOptions, keyof WaitOptions>,
  ): DatagramMessage | undefined {
    if (options === undefined) {
      this.checkOpen('recvmsg');
      if (this.isWaiting('readable')) return undefined;
      const message = nextDatagram(this, this.#ahead, 1, false);
      return message === BLOCKED ? undefined : message;
    }
    const take = receivingDatagram(this, this.#ahead, options, 1);
    if (this.isWaiting('readable')) return undefined;
    const message = take();
    return message === BLOCKED ? undefined : message;
  }

  /** {@link receive} that blocks this thread. */
  receiveSync(options?: Omit<DatagramReceiveOptions, 'signal'>): DatagramMessage {
    if (options === undefined && !this.isWaiting('readable')) {
      this.checkOpen('recvmsg');
      const message = nextDatagram(this, this.#ahead, BATCH, true);
      if (message !== BLOCKED) return message;
    }
    checkTimeout(optionsObject(options).timeout);
    const take = receivingDatagram(this, this.#ahead, options, 1);
    if (this.isWaiting('readable')) throw busyError(this.describe());
    if (options?.timeout === undefined && this.socket.sleeps) {
      const message = take(0);
      if (message !== BLOCKED) return message;
    }
    const sleep = (milliseconds: number): void => this.sleep('readable', milliseconds);
    return waitSync(() => take(), sleep, options?.timeout, { details: this.describe() });
  }

  /** Datagrams as they come, until the socket is closed. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<DatagramMessage> {
    return iterate<DatagramMessage>({
      handle: this,
      takesTurns: true,
      take: () =>
        this.isWaiting('readable') ? BLOCKED : nextDatagram(this, this.#ahead, BATCH, false),
      receive: (wait) => this.receive(wait),
    });
  }

  override ref(): this {
    this.#destinations.ref(true);
    return super.ref();
  }

  override unref(): this {
    this.#destinations.ref(false);
    return super.unref();
  }

  /** Closes it, and removes the file of its path if that is still its own. */
  override close(): void {
    if (this.closed) return;
    closeAhead(this.#ahead);
    this.#place?.release();
    super.close();
    this.#destinations.fail(() => closedError({ syscall: 'sendmsg' }));
  }

  /**
   * Gives the descriptor away, and the path with it: its next owner removes that.
   *
   * @throws {IpcError} EBUSY when datagrams wait that were taken ahead: receive them first
   */
  override release(): number {
    if (!this.closed && this.#ahead.length > 0) {
      throw new IpcError('EBUSY', {
        ...this.socket.details('release'),
        hint: `${this.#ahead.length} datagrams that were taken ahead wait here: receive them first`,
      });
    }
    const fd = super.release();
    this.#place?.leave();
    this.#destinations.fail(() => closedError({ syscall: 'sendmsg' }));
    return fd;
  }

  protected override describe(): { syscall: string; target: string | number } {
    return this.socket.details('recvmsg');
  }

  async #send(data: Bytes, to?: Address | null, options?: DatagramSendOptions): Promise<void> {
    const wait = waitOptions(options);
    wait.signal?.throwIfAborted();
    const route = routeTo(this, to);
    try {
      const put = sendingDatagram(this, data, route, options);
      if (route === undefined || this.socket.domain !== AF_UNIX) {
        await this.waitFor('writable', put, wait, { details: this.socket.details('sendmsg') });
        return;
      }
      const target = showAddress(parseAddress(to!) as SocketAddress);
      await this.#destinations.send(route, target, put, wait);
    } finally {
      route?.close();
    }
  }
}
