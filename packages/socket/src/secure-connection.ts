import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import { IpcError, unsupportedError } from '@octoipc/core/kit';

import { messageLimit } from './connection-options.js';
import { Connection } from './connection.js';
import { SHUT_RD, SHUT_WR } from './constants.js';
import type { DuplexOptions } from './duplex.js';
import { SecureEnd } from './secure-end.js';
import { SecureRelay } from './secure-relay.js';
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
 * Lifetime: closing it ends the TLS session, and closes the TCP connection below. An idle one does not keep the
 * process alive; what was written and is not with the kernel yet does.
 */
export class SecureConnection extends Connection {
  readonly #under: Connection;
  readonly #relay: SecureRelay;

  private constructor(under: Connection, end: SecureEnd, limit: number) {
    super(end, limit);
    this.#under = under;
    this.#relay = end.relay;
    this.onClosed(() => end.relay.close());
  }

  /**
   * @param below - the stream over `under` that TLS goes through
   * @internal
   */
  static join(
    under: Connection,
    below: Socket,
    stream: TLSSocket,
    maxMessageSize?: number,
  ): SecureConnection {
    const [outer, inner] = socketPair();
    const fd = outer.release();
    outer.socket.binding.adopt(fd);
    const end = new SecureEnd(fd, under.socket, new SecureRelay(inner, stream, below));
    return new SecureConnection(under, end, messageLimit(maxMessageSize));
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

  override toDuplex(options?: DuplexOptions): Duplex {
    return this.#relay.follow(super.toDuplex(options) as Socket);
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

  /** @internal What is not read any more would stop what is written, if the pair were shut down for reading. */
  override shutdown(how: number): void {
    if (how !== SHUT_WR) this.#relay.deafen();
    if (how === SHUT_RD) return;
    super.shutdown(SHUT_WR);
    this.#relay.end();
  }

  /** Where TLS has failed no end is one. Whether one without a close_notify was meant Node does not tell. */
  protected override checkEnd(): void {
    const cause = this.#relay.failure;
    if (cause === undefined) return;
    throw new IpcError('ECONNRESET', { ...this.socket.details('recv'), cause });
  }

  #blocking(syscall: string): IpcError {
    return unsupportedError('TLS that blocks this thread', this.socket.details(syscall));
  }
}
