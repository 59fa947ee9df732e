import type { WaitOptions } from '@octoipc/core';
import {
  IpcError,
  isIpcError,
  AGAIN,
  BLOCKED,
  busyError,
  checkTimeout,
  closedError,
  codeOfErrno,
  Deadline,
  descriptor,
  errorOf,
  iterate,
  optionsObject,
  timeoutError,
  Turn,
  typeError,
  valueError,
  waitOptions,
  waitSync,
  YIELD,
} from '@octoipc/core/kit';

import { messageLimit, type ConnectionType } from './connection-options.js';
import { Connection } from './connection.js';
import { SO_ACCEPTCONN, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET } from './constants.js';
import { adoptSocket, intOption, SocketEnd } from './end.js';
import { longestPacket } from './messages.js';
import type { Place } from './place.js';
import { SecureArrivals, type Finish } from './secure-arrivals.js';
import { checkServeOptions, type ServeOptions } from './serve-options.js';
import { showAddress, type SocketAddress } from './sockaddr.js';
import { SocketHandle } from './socket-handle.js';
import { applyTcpOptions } from './tcp.js';

/** Failures of one connection that waited for its accept, which say nothing of the server: accept(2). */
const PASSING: ReadonlySet<string> = new Set([
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENONET',
  'ENOPROTOOPT',
  'EPROTO',
  'EPERM',
]);

/** Failures that pass when something is closed; the connections wait in the backlog until then. */
export const EXHAUSTED: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** After so many in a row that may not connect the event loop turns: there may always be one more. */
const REFUSED_IN_A_ROW = 64;

/** So long a server without descriptors waits, unless somebody closes one before. */
const PAUSE = 50;

const NO_NAME = new Uint8Array(0);
const nameLength = new Int32Array(1);

/**
 * A socket that takes connections.
 *
 * Lifetime: it owns its descriptor, and the file of its path, until `close()`; connections outlive it.
 * A pending `accept` keeps the process alive, an idle server does not. Where this process has no
 * descriptor left, accepting waits until it has, and those who connect wait in the backlog. With TLS those
 * who connect have their handshakes side by side, 256 at most, each within `handshakeTimeout` of the TLS
 * options (10 seconds); one that fails is dropped, the first with an `IpcHandshakeWarning`.
 *
 * @example
 * ```js
 * import { connect, listen } from '@octoipc/socket';
 *
 * const server = await listen({ abstract: 'octoipc-echo' });
 * const client = await connect(server.address);
 * await client.send('over here');
 * for await (const connection of server) {
 *   await connection.send(await connection.receive());
 *   connection.close();
 *   server.close();
 * }
 * String(await client.receive()); //=> 'over here'
 * client.close();
 * ```
 * @see listen(2), accept(2)
 */
export class Server extends SocketHandle implements AsyncIterable<Connection> {
  readonly #options: ServeOptions;
  readonly #place: Place | undefined;
  readonly #secure: SecureArrivals | undefined;
  readonly #turn = new Turn();
  #warned = false;

  /** @param options - checked, and nobody else's */
  private constructor(end: SocketEnd, options: ServeOptions, place?: Place, finish?: Finish) {
    super(end);
    this.#options = options;
    this.#place = place;
    this.#secure = finish && new SecureArrivals(this, () => this.take(), finish);
  }

  /**
   * Takes over a descriptor that listens: from now on this handle closes it. It becomes non-blocking.
   *
   * @param fd - a listening stream or seqpacket socket, as systemd or another process hands it over
   * @param options - what to do with those who connect
   * @throws {TypeError} ERR_INVALID_ARG_VALUE when it is no such socket, or does not listen
   * @throws {IpcError} EBADF when it is not open, EEXIST when another handle owns it
   */
  static fromFd(fd: number, options?: ServeOptions): Server {
    const given = checkServeOptions(optionsObject(options));
    descriptor(fd);
    const listening = intOption(fd, SOL_SOCKET, SO_ACCEPTCONN);
    if (listening === 0) throw valueError('fd', 'must be a socket that listens', fd);
    const end = adoptSocket(fd, [SOCK_STREAM, SOCK_SEQPACKET]);
    end.binding.setNonblocking(end.fd, true);
    return new Server(end, given);
  }

  /** @internal */
  static over(end: SocketEnd, options: ServeOptions, place: Place, finish?: Finish): Server {
    return new Server(end, options, place, finish);
  }

  /** What its connections are of. @internal */
  get type(): ConnectionType {
    return this.socket.type === SOCK_SEQPACKET ? 'seqpacket' : 'stream';
  }

  /** The longest message of its connections. @internal */
  get maxMessageSize(): number {
    const limit = messageLimit(this.#options.maxMessageSize);
    return this.type === 'stream' ? limit : Math.min(limit, longestPacket(this.socket.fd));
  }

  /** Where it listens; with the port that the kernel has chosen. */
  get address(): SocketAddress {
    const { local } = this;
    if (local === null) throw new IpcError('EINVAL', this.socket.details('getsockname'));
    return local;
  }

  /**
   * The next connection, of a peer that may connect.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the server is closed, now or while it waits
   */
  async accept(options?: WaitOptions): Promise<Connection> {
    const wait = waitOptions(options);
    wait.signal?.throwIfAborted();
    this.checkOpen('accept');
    const details = this.socket.details('accept');
    const deadline = wait.timeout === undefined ? Infinity : performance.now() + wait.timeout;
    const left = (): WaitOptions =>
      deadline === Infinity
        ? wait
        : { signal: wait.signal, timeout: Math.max(0, deadline - performance.now()) };
    if (!this.#turn.tryTake()) await this.#turn.take(left(), details);
    try {
      for (;;) {
        this.checkOpen('accept');
        try {
          if (this.#secure !== undefined) return await this.#secure.next(left, details);
          return await this.waitFor('readable', () => this.take(), left(), { details });
        } catch (error) {
          // Of accept(2) itself: what fails for one connection, authorize() included, is told.
          if (!isIpcError(error) || error.syscall !== 'accept') throw error;
          if (!EXHAUSTED.has(error.code)) throw error;
          this.#warn(error);
          await this.#pause(left());
        }
      }
    } finally {
      this.#turn.pass();
    }
  }

  /** The next connection if one waits; `undefined` if none does, or others wait already. */
  tryAccept(): Connection | undefined {
    const connection = this.takeNow();
    return connection === BLOCKED || connection === YIELD ? undefined : connection;
  }

  /** @internal {@link tryAccept} that tells whether to look again when the event loop has turned. */
  takeNow(): Connection | typeof BLOCKED | typeof YIELD {
    this.#checkPlain();
    return this.#turn.taken ? BLOCKED : this.take();
  }

  /** {@link accept} that blocks this thread. */
  acceptSync(options?: { readonly timeout?: number | undefined }): Connection {
    const { timeout } = optionsObject(options);
    checkTimeout(timeout);
    this.#checkPlain();
    const details = this.socket.details('accept');
    if (this.#turn.taken) throw busyError(details);
    return waitSync<Connection>(
      () => {
        const connection = this.take();
        return connection === YIELD ? BLOCKED : connection;
      },
      (milliseconds) => this.sleep('readable', milliseconds),
      timeout,
      { details },
    );
  }

  /** Connections as they come, until the server is closed. Leaving the loop does not close it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Connection> {
    return iterate<Connection>({ handle: this, receive: (wait) => this.accept(wait) });
  }

  /** Stops listening, and removes the file of its path if that is still its own. */
  override close(): void {
    if (this.closed) return;
    this.#place?.release();
    super.close();
    this.#secure?.close();
    this.#turn.fail(() => closedError({ syscall: 'accept' }));
  }

  /**
   * Gives the descriptor away, and the path with it: its next owner removes that. The lock of `reclaim` goes
   * at once; who would take the path over finds that somebody listens there. Who is in a TLS handshake is dropped.
   */
  override release(): number {
    const fd = super.release();
    this.#secure?.close();
    this.#place?.leave();
    this.#turn.fail(() => closedError({ syscall: 'accept' }));
    return fd;
  }

  protected override describe(): { syscall: string; target: string | number } {
    return this.socket.details('accept');
  }

  /** @internal The next connection that may be. */
  take(): Connection | typeof BLOCKED | typeof YIELD {
    const { binding, fd, domain, type, target } = this.socket;
    for (let refused = 0; refused < REFUSED_IN_A_ROW; refused++) {
      const accepted = binding.accept(fd, NO_NAME, nameLength, 0, true);
      if (accepted === AGAIN) return BLOCKED;
      if (accepted < 0) {
        if (PASSING.has(codeOfErrno(accepted))) continue;
        throw errorOf(accepted, 'accept', {
          target,
          hint: 'close what is not needed, or raise the limit: ulimit -n (RLIMIT_NOFILE)',
        });
      }
      const end = new SocketEnd(accepted, domain, type, target);
      const connection = Connection.over(end, this.#options.maxMessageSize);
      if (this.#admits(connection)) return connection;
    }
    return YIELD;
  }

  #admits(connection: Connection): boolean {
    const { authorize } = this.#options;
    let admitted = false;
    try {
      applyTcpOptions(connection.socket, this.#options);
      const verdict: unknown =
        authorize === undefined ? true : authorize(connection.peer, connection);
      // A promise would be as good as true to whoever is not careful.
      if (typeof verdict !== 'boolean') throw typeError('authorize()', 'a boolean', verdict);
      admitted = verdict;
    } finally {
      if (!admitted) connection.close();
    }
    return admitted;
  }

  #checkPlain(): void {
    this.checkOpen('accept');
    if (this.#secure === undefined) return;
    throw new IpcError('ERR_UNSUPPORTED', {
      ...this.socket.details('accept'),
      text: 'TLS cannot be begun without waiting',
      hint: 'await accept() instead',
    });
  }

  /** Waits a moment for a descriptor to be closed. */
  #pause({ signal, timeout = Infinity }: WaitOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void): void => {
        deadline.clear();
        forget();
        signal?.removeEventListener('abort', onAbort);
        settled();
      };
      const details = this.socket.details('accept');
      const over = timeout <= PAUSE;
      const deadline = new Deadline(Math.min(timeout, PAUSE), () =>
        settle(() => (over ? reject(timeoutError(details)) : resolve())),
      );
      const onAbort = (): void => settle(() => reject(signal?.reason as Error));
      const forget = this.onClosed(() => settle(() => reject(closedError(details))));
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  #warn(error: IpcError): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `${showAddress(this.local)} accepts nobody until a descriptor is closed: ${error.message}`,
      { type: 'IpcExhaustedWarning', code: error.code },
    );
  }
}
