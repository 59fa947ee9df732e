import type { WaitOptions } from '@octoipc/core';
import { BLOCKED, isIpcError, onAbort, YIELD } from '@octoipc/core/kit';

import type { Connection } from './connection.js';
import { showAddress } from './sockaddr.js';
import type { SocketHandle } from './socket-handle.js';

/** How a connection becomes what is handed out: TLS begins here. It closes what it cannot finish. */
export type Finish = (connection: Connection, signal: AbortSignal) => Promise<Connection>;

/** So many have their handshakes at once; the others wait in the backlog. */
const MOST = 256;

/** Ends a wait so that it begins anew: somebody is ready, or there is room for another handshake. */
const NUDGE = new Error('a handshake is over');

/**
 * Those who connect to a server with TLS: each has its handshake beside those of others, so none waits for
 * another one that says nothing, and who fails is dropped.
 *
 * Lifetime: that of its server. They are taken out of the backlog while somebody accepts; who is ready then is
 * for whoever accepts next.
 */
export class SecureArrivals {
  readonly #server: SocketHandle;
  readonly #take: () => Connection | typeof BLOCKED | typeof YIELD;
  readonly #finish: Finish;
  readonly #handshakes = new Set<AbortController>();
  readonly #ready: Connection[] = [];
  #nudge: (() => void) | undefined;
  /** What is no fault of those who connect: told by the next accept. */
  #failures: unknown[] = [];
  #warned = false;
  #closed = false;

  /** @param take - the next one in the backlog that may connect */
  constructor(
    server: SocketHandle,
    take: () => Connection | typeof BLOCKED | typeof YIELD,
    finish: Finish,
  ) {
    this.#server = server;
    this.#take = take;
    this.#finish = finish;
  }

  /** The next one that is ready; one call at a time. */
  async next(
    left: () => WaitOptions,
    details: { syscall: string; target: string | number },
  ): Promise<Connection> {
    for (;;) {
      const { signal, timeout } = left();
      signal?.throwIfAborted();
      const stop = new AbortController();
      const forget = signal && onAbort(signal, () => stop.abort(signal.reason));
      this.#nudge = () => stop.abort(NUDGE);
      try {
        const wait = { signal: stop.signal, timeout };
        return await this.#server.waitFor('readable', () => this.#attempt(), wait, { details });
      } catch (error) {
        if (error !== NUDGE) throw error;
      } finally {
        this.#nudge = undefined;
        forget?.();
      }
    }
  }

  /** Drops everybody who was not handed out. */
  close(): void {
    this.#closed = true;
    for (const handshake of this.#handshakes) handshake.abort();
    for (const connection of this.#ready.splice(0)) connection.close();
  }

  #attempt(): Connection | typeof BLOCKED | typeof YIELD {
    if (this.#failures.length > 0) throw this.#failures.shift();
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    while (this.#handshakes.size < MOST) {
      const connection = this.#take();
      if (connection === BLOCKED) break;
      if (connection === YIELD) return YIELD;
      void this.#begin(connection);
    }
    return BLOCKED;
  }

  async #begin(connection: Connection): Promise<void> {
    const handshake = new AbortController();
    this.#handshakes.add(handshake);
    try {
      const secured = await this.#finish(connection, handshake.signal);
      if (this.#closed) secured.close();
      else this.#ready.push(secured);
    } catch (error) {
      if (!this.#closed) this.#tell(error);
    } finally {
      this.#handshakes.delete(handshake);
      this.#nudge?.();
    }
  }

  #tell(error: unknown): void {
    if (!isIpcError(error)) {
      this.#failures.push(error);
      return;
    }
    if (this.#warned) return;
    this.#warned = true;
    const { message, code } = error;
    process.emitWarning(
      `${showAddress(this.#server.local)} dropped somebody whose TLS handshake failed: ${message}`,
      { type: 'IpcHandshakeWarning', code },
    );
  }
}
