import type { Duplex } from 'node:stream';

import type { Bytes, WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  busyError,
  checkTimeout,
  optionsObject,
  waitOptions,
  waitSync,
  type Attempt,
  type Operation,
} from '@octoipc/core/kit';

import { ByteConnection } from './byte-connection.js';
import { messageLimit, timeoutOf } from './connection-options.js';
import { SHUT_WR } from './constants.js';
import { duplexOf, webStreamsOf, type DuplexOptions } from './duplex.js';
import type { SocketEnd } from './end.js';
import { sendingFds, takeStreamFds, type FdSending } from './fd-transfer.js';
import { checkCarriesFds, maxFdsOf, type FdMessage, type FdSource } from './fds.js';
import { PacketMessages, StreamMessages, type Messages } from './messages.js';
import { peerCredentials, PeerProcess, type Peer } from './peer.js';
import type { SocketAddress } from './sockaddr.js';
import { setKeepAlive, setNoDelay, type KeepAlive } from './tcp.js';

/** What `receiveFds` takes. */
export interface ReceiveFdsOptions extends WaitOptions {
  /** More descriptors than this are closed, and reported. @default 253, as many as a message has */
  readonly maxFds?: number | undefined;
}

/**
 * One end of a connection: a stream of bytes, or packets.
 *
 * Lifetime: it owns its descriptor until `close()` or `release()`; pending calls keep the process alive,
 * an idle connection does not. Reads are served first come, first served, and so are writes; one that was
 * aborted or timed out has taken nothing. Bytes (`read`, `write`) and messages (`send`, `receive`) share
 * the connection: take one of the two for each direction.
 *
 * @example
 * ```js
 * import { socketPair } from '@octoipc/socket';
 *
 * const [left, right] = socketPair({ type: 'seqpacket' });
 * await left.send('a packet');
 * String(await right.receive()); //=> 'a packet'
 * left.close();
 * await right.receive(); //=> null
 * right.close();
 * ```
 * @see unix(7), tcp(7)
 */
export class Connection extends ByteConnection {
  readonly #maxMessageSize: number;
  #made: Messages | undefined;

  /** @param end - owned by the binding, or a descriptor from outside, which is checked and taken over */
  protected constructor(end: SocketEnd | number, maxMessageSize: number) {
    super(end);
    this.#maxMessageSize = maxMessageSize;
  }

  /**
   * Takes over a descriptor: from now on this handle closes it.
   *
   * @param fd - a connected stream or seqpacket socket; 0 is one
   * @param options - `maxMessageSize`: the longest message of `send` and `receive`
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is not such a socket
   * @throws {IpcError} EBADF when it is not open, EEXIST when another handle owns it
   */
  static fromFd(fd: number, options?: { readonly maxMessageSize?: number }): Connection {
    return new Connection(fd, messageLimit(optionsObject(options).maxMessageSize));
  }

  /** @internal */
  static over(end: SocketEnd, maxMessageSize?: number): Connection {
    return new Connection(end, messageLimit(maxMessageSize));
  }

  /** The address of the other side; `null` where it has none. */
  get remote(): SocketAddress | null {
    this.checkOpen('getpeername');
    return this.socket.remoteAddress();
  }

  /**
   * The process at the other end as it was when it connected, or began to listen (SO_PEERCRED); `null`
   * over TCP. By the time you look, the pid may mean another process: see {@link peerProcess}.
   */
  get peer(): Peer | null {
    // Of a connection only: a private field sees through another `this`.
    void this.#maxMessageSize;
    this.checkOpen('getsockopt');
    return peerCredentials(this.fd);
  }

  /**
   * A handle of the process at the other end (SO_PEERPIDFD), which never comes to mean another one.
   *
   * @throws {IpcError} ERR_UNSUPPORTED when the kernel cannot do it, or over TCP: there is no fallback to
   *   the pid
   * @throws {IpcError} ESRCH when that process has ended
   */
  peerProcess(): PeerProcess {
    this.checkOpen('getsockopt');
    return PeerProcess.of(this.socket);
  }

  /**
   * Chunks of a stream, packets of a seqpacket connection, whole, until the end or `close()`. Leaving the loop does
   * not close.
   */
  override [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return this.type === 'stream' ? super[Symbol.asyncIterator]() : this.iterateMessages();
  }

  /**
   * Messages until the end; leaving the loop does not close.
   *
   * @internal
   */
  iterateMessages(): AsyncIterableIterator<Buffer> {
    return this.#messages.iterate();
  }

  /** The longest message that `send` takes. */
  get maxMessageSize(): number {
    this.checkOpen('getsockopt');
    return this.#messages.maxMessageSize;
  }

  /**
   * Sends one message: a packet, or on a stream a frame of a 4-byte little-endian length and the bytes.
   *
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`
   * @throws {IpcError} EPIPE when the other side has closed
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  send(message: Bytes, options?: WaitOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      this.checkOpen('send');
      return this.#messages.send(message, wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sends if that needs no waiting; false, and nothing sent, if it does. */
  trySend(message: Bytes): boolean {
    this.checkOpen('send');
    return this.#messages.trySend(message);
  }

  /**
   * {@link send} that blocks this thread. A message of a stream that was begun when the timeout is over is
   * finished in the background, as one of `send` is.
   *
   * @throws {IpcError} EBUSY when asynchronous sends wait already
   */
  sendSync(message: Bytes, options?: { readonly timeout?: number | undefined }): void {
    const timeout = timeoutOf(options);
    this.checkOpen('send');
    this.#messages.sendSync(message, timeout);
  }

  /**
   * The next message; `null` once the other side has ended and everything was received.
   *
   * @throws {IpcError} EMSGSIZE when it is longer than `maxMessageSize`
   * @throws {IpcError} ERR_TRUNCATED when the other side ended inside a frame
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  receive(options?: WaitOptions): Promise<Buffer | null> {
    try {
      const wait = waitOptions(options);
      this.checkOpen('receive');
      return this.#messages.receive(wait);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** The next message if there is one; `undefined` if there is none now, `null` at the end. */
  tryReceive(): Buffer | null | undefined {
    this.checkOpen('receive');
    return this.#messages.tryReceive();
  }

  /** {@link receive} that blocks this thread. */
  receiveSync(options?: { readonly timeout?: number | undefined }): Buffer | null {
    const timeout = timeoutOf(options);
    this.checkOpen('receive');
    return this.#messages.receiveSync(timeout);
  }

  /**
   * Sends descriptors: the other side gets new numbers for the same open files. Yours stay open, and may
   * be closed as soon as this has resolved. They travel with the first byte of the data.
   *
   * @param fds - up to 253 numbers or handles
   * @param data - bytes beside them; without any, one zero byte
   * @throws {IpcError} EBADF when one is not open; nothing is sent then
   * @throws {IpcError} ENOTSUP over TCP, which cannot carry them
   * @see unix(7), SCM_RIGHTS
   */
  sendFds(fds: readonly FdSource[], data?: Bytes, options?: WaitOptions): Promise<void> {
    try {
      const { attempt, operation } = this.#sendingFds(fds, data);
      const wait = waitOptions(options);
      return this.#inOrder('sendmsg', attempt, wait, operation);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** {@link sendFds} that blocks this thread. */
  sendFdsSync(
    fds: readonly FdSource[],
    data?: Bytes,
    options?: { readonly timeout?: number | undefined },
  ): void {
    const { attempt, operation } = this.#sendingFds(fds, data);
    const { timeout } = optionsObject(options);
    checkTimeout(timeout);
    if (this.#made?.flush() === false || this.isWaiting('writable')) {
      throw busyError(operation.details);
    }
    waitSync(attempt, (milliseconds) => this.sleep('writable', milliseconds), timeout, operation);
  }

  /**
   * Receives data and the descriptors that came with it, close-on-exec from birth. On a stream the bytes
   * before them may be part of it, never those after them. What `read` and `receive` take is without: they close them,
   * and a `receive` of a stream reads ahead.
   *
   * @returns both; the descriptors are yours. `null` when the other side has ended
   * @throws {IpcError} ERR_FDS_TRUNCATED when more came than were asked for, or than this process can
   *   have: all of them are closed then, and the error's `data` has the bytes
   */
  receiveFds(options?: ReceiveFdsOptions): Promise<FdMessage | null> {
    try {
      const wait = waitOptions(options);
      const maxFds = maxFdsOf(options);
      this.checkOpen('recvmsg');
      const attempt = (): FdMessage | null | typeof BLOCKED => this.#takeFds(maxFds);
      return this.waitFor('readable', attempt, wait, this.reading('recvmsg'));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** {@link receiveFds} without waiting: `undefined` if there is nothing now. */
  tryReceiveFds(options?: { readonly maxFds?: number }): FdMessage | null | undefined {
    const maxFds = maxFdsOf(options);
    this.checkOpen('recvmsg');
    if (this.isWaiting('readable')) return undefined;
    const message = this.#takeFds(maxFds);
    return message === BLOCKED ? undefined : message;
  }

  /** {@link receiveFds} that blocks this thread. */
  receiveFdsSync(options?: {
    readonly maxFds?: number;
    readonly timeout?: number | undefined;
  }): FdMessage | null {
    const maxFds = maxFdsOf(options);
    checkTimeout(options?.timeout);
    this.checkOpen('recvmsg');
    const details = this.socket.details('recvmsg');
    if (this.isWaiting('readable')) throw busyError(details);
    return waitSync(
      () => this.#takeFds(maxFds),
      (milliseconds) => this.sleep('readable', milliseconds),
      options?.timeout,
      { details },
    );
  }

  /**
   * Ends this side: the other one reads what was written and then the end; this side still reads.
   *
   * @returns a promise that resolves when all earlier writes are done and the end was told
   * @see shutdown(2)
   */
  end(options?: WaitOptions): Promise<void> {
    try {
      const wait = waitOptions(options);
      this.checkOpen('shutdown');
      const attempt = (): void => this.shutdown(SHUT_WR);
      const operation = { details: this.socket.details('shutdown') };
      return this.#inOrder('shutdown', attempt, wait, operation);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * A Node stream over this connection, as `net.Socket` is one: to pipe, for `http` and `tls`. Either is
   * closed with the other. What was read ahead for messages is the first that it reads.
   *
   * @param options - `allowHalfOpen`: do not end when the other side does. @default false
   * @throws {IpcError} EBUSY when messages or calls wait, for which a stream of Node's would not wait
   */
  toDuplex(options?: DuplexOptions): Duplex {
    this.#leaveMessages('toDuplex');
    // A stream of Node's reads and writes past them.
    if (this.type === 'stream' && (this.isWaiting('readable') || this.isWaiting('writable'))) {
      throw busyError(this.socket.details('toDuplex'));
    }
    return duplexOf(this, options);
  }

  /**
   * Web streams of bytes over both directions; the connection is closed when both have ended. What was read
   * ahead for messages is the first that they read.
   *
   * @throws {IpcError} EBUSY when messages wait to be sent, or somebody waits for the rest of one
   */
  toWeb(): {
    readable: ReadableStream<Uint8Array>;
    writable: WritableStream<Uint8Array | string>;
  } {
    this.#leaveMessages('toWeb');
    return webStreamsOf(this);
  }

  /** TCP only: whether small writes go out at once (TCP_NODELAY). */
  setNoDelay(on = true): this {
    this.checkOpen('setsockopt');
    setNoDelay(this.socket, on);
    return this;
  }

  /** TCP only: whether a silent peer is asked if it still lives (SO_KEEPALIVE), and how often. */
  setKeepAlive(keepAlive: KeepAlive = true): this {
    this.checkOpen('setsockopt');
    setKeepAlive(this.socket, keepAlive);
    return this;
  }

  /**
   * Gives the descriptor away: the caller owns it from now on, and this handle is closed.
   *
   * @throws {IpcError} EBUSY when packets or bytes were taken ahead, which the next owner would not see
   */
  override release(): number {
    this.checkOpen('release');
    this.#made?.flush();
    this.#returnUnread();
    this.checkNothingTaken();
    return super.release();
  }

  /** From now on the bytes are somebody else's. */
  #leaveMessages(syscall: string): void {
    this.checkOpen(syscall);
    if (this.#made?.flush() === false) throw busyError(this.socket.details(syscall));
    this.#returnUnread();
  }

  /** What was read ahead for messages is there to be read as bytes, or as messages again. */
  #returnUnread(): void {
    const unread = this.#made?.takeUnread();
    if (unread !== undefined && unread.length > 0) this.putBack(unread);
  }

  /** Waits for room behind all messages that were sent, and before those that are sent later. */
  #inOrder(
    syscall: string,
    attempt: Attempt<void>,
    wait: WaitOptions,
    operation: Operation,
  ): Promise<void> {
    const write = (left: WaitOptions): Promise<void> => {
      this.checkOpen(syscall);
      return this.waitFor('writable', attempt, left, operation);
    };
    return this.#made === undefined ? write(wait) : this.#made.inOrder(write, wait);
  }

  #sendingFds(fds: readonly FdSource[], data?: Bytes): FdSending {
    const sending = sendingFds(this.socket, fds, data);
    this.checkOpen('sendmsg');
    checkCarriesFds(this.socket);
    return sending;
  }

  #takeFds(maxFds: number): FdMessage | null | typeof BLOCKED {
    if (this.type === 'stream') {
      const returned = this.takeReturned();
      return returned === undefined
        ? takeStreamFds(this.socket, maxFds)
        : { data: returned, fds: [] };
    }
    const wanted = { maxBytes: Math.max(1, this.#maxMessageSize), truncate: false };
    return this.inbox.takeWithFds(wanted, maxFds);
  }

  get #messages(): Messages {
    return (this.#made ??=
      this.type === 'seqpacket'
        ? new PacketMessages(this, this.inbox, this.#maxMessageSize)
        : new StreamMessages(this, this.#maxMessageSize));
  }
}
