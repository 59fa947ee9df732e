import type { WaitOptions } from '@octoipc/core';
import {
  check,
  closedError,
  FdHandle,
  integer,
  POLLIN,
  POLLOUT,
  type Attempt,
  type Direction,
  type Operation,
} from '@octoipc/core/kit';

import { SO_RCVBUF, SO_SNDBUF, SOL_SOCKET } from './constants.js';
import { intOption, setIntOption, type SocketEnd } from './end.js';
import type { SocketAddress } from './sockaddr.js';

/** What connections, servers and datagram sockets have in common. */
export abstract class SocketHandle extends FdHandle {
  /** @internal */
  readonly socket: SocketEnd;

  /** @param end - owned by the binding */
  protected constructor(end: SocketEnd) {
    super(end.fd, end.binding);
    this.socket = end;
  }

  /** The address of this side; `null` where it has none. */
  get local(): SocketAddress | null {
    this.checkOpen('getsockname');
    return this.socket.localAddress();
  }

  /** Bytes that the kernel keeps for what was sent and not yet received, its own needs included. */
  get sendBufferSize(): number {
    return this.#option(SO_SNDBUF);
  }

  /** The kernel doubles the number, within net.core.wmem_max. */
  set sendBufferSize(bytes: number) {
    this.#setOption(SO_SNDBUF, bytes, 'sendBufferSize');
  }

  /** Bytes that the kernel keeps for what was received; of no effect on Unix sockets. */
  get receiveBufferSize(): number {
    return this.#option(SO_RCVBUF);
  }

  /** The kernel doubles the number, within net.core.rmem_max. */
  set receiveBufferSize(bytes: number) {
    this.#setOption(SO_RCVBUF, bytes, 'receiveBufferSize');
  }

  /**
   * Waits in the queue of one direction.
   *
   * @internal
   */
  waitFor<T>(
    direction: Direction,
    attempt: Attempt<T>,
    options: WaitOptions,
    operation: Operation,
  ): Promise<T> {
    return this.queue(direction).run(attempt, options, operation);
  }

  /**
   * Whether somebody waits in one direction.
   *
   * @internal
   */
  isWaiting(direction: Direction): boolean {
    return this.waiting(direction) > 0;
  }

  /**
   * Blocks this thread until a call in one direction may succeed, or so many milliseconds are over.
   *
   * @internal
   */
  sleep(direction: Direction, milliseconds: number): void {
    this.socket.binding.poll(
      this.socket.fd,
      direction === 'readable' ? POLLIN : POLLOUT,
      milliseconds,
    );
  }

  /** @internal */
  checkOpen(syscall: string): void {
    if (this.closed) throw closedError({ syscall });
  }

  #option(option: number): number {
    this.checkOpen('getsockopt');
    return check(intOption(this.fd, SOL_SOCKET, option), 'getsockopt', {
      target: this.socket.target,
    });
  }

  #setOption(option: number, bytes: number, name: string): void {
    integer(bytes, name, 1, 0x3fffffff);
    this.checkOpen('setsockopt');
    setIntOption(this.fd, SOL_SOCKET, option, bytes);
  }
}
