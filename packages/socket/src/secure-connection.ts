import type Stream from 'node:stream';
import type { TLSSocket } from 'node:tls';

import { IpcError, unsupportedError } from '@octoipc/core/kit';

import { messageLimit } from './connection-options.js';
import { Connection } from './connection.js';
import { SocketEnd } from './end.js';
import { socketPair } from './pair.js';
import type { Peer, PeerProcess } from './peer.js';
import type { SocketAddress } from './sockaddr.js';
import type { KeepAlive } from './tcp.js';

/**
 * A connection with TLS by Node's own `tls`.
 *
 * What is written goes through a pair of sockets within this process to Node's TLS socket, and from there
 * to the network: so bytes, messages and the end behave as on every connection, with the kernel's bounded
 * buffers between. The event loop has to turn for that, so there are no blocking flavours.
 *
 * Lifetime: closing it ends the TLS session, and closes the TCP connection below.
 */
export class SecureConnection extends Connection {
  readonly #under: Connection;
  #failure: Error | undefined;

  private constructor(under: Connection, end: SocketEnd, limit: number) {
    super(end, limit);
    this.#under = under;
  }

  /** @internal */
  static join(under: Connection, stream: TLSSocket, maxMessageSize?: number): SecureConnection {
    const [outer, inner] = socketPair();
    const { domain, type, target } = under.socket;
    const fd = outer.release();
    outer.socket.binding.adopt(fd);
    const end = new SocketEnd(fd, domain, type, target);
    const connection = new SecureConnection(under, end, messageLimit(maxMessageSize));
    const plain = inner.toDuplex({ allowHalfOpen: true });
    const failed = (error: Error | null | undefined): void => {
      if (error === null || error === undefined) return;
      connection.#failure ??= error;
      stream.destroy();
      plain.destroy();
    };
    const { pipeline } = require('node:stream') as typeof Stream;
    pipeline(stream, plain, failed);
    pipeline(plain, stream, failed);
    return connection;
  }

  override get local(): SocketAddress | null {
    return this.#under.closed ? super.local : this.#under.local;
  }

  override get remote(): SocketAddress | null {
    return this.#under.closed ? super.remote : this.#under.remote;
  }

  override get peer(): Peer | null {
    this.checkOpen('getsockopt');
    return null;
  }

  override peerProcess(): PeerProcess {
    throw unsupportedError('SO_PEERPIDFD over TCP', this.socket.details('getsockopt'));
  }

  override readSync(): never {
    throw this.#blocking('recv');
  }

  override writeSync(): never {
    throw this.#blocking('send');
  }

  override sendSync(): never {
    throw this.#blocking('send');
  }

  override receiveSync(): never {
    throw this.#blocking('receive');
  }

  override receiveFdsSync(): never {
    throw this.#blocking('recvmsg');
  }

  override setNoDelay(on = true): this {
    this.#under.setNoDelay(on);
    return this;
  }

  override setKeepAlive(keepAlive: KeepAlive = true): this {
    this.#under.setKeepAlive(keepAlive);
    return this;
  }

  override release(): never {
    throw unsupportedError('giving a TLS connection away', this.socket.details('release'));
  }

  /** The end counts only if TLS says so: else what came may have been cut. */
  protected override checkEnd(): void {
    const cause = this.#failure;
    if (cause === undefined) return;
    throw new IpcError('ECONNRESET', { ...this.socket.details('recv'), cause });
  }

  #blocking(syscall: string): IpcError {
    return unsupportedError('TLS that blocks this thread', this.socket.details(syscall));
  }
}
