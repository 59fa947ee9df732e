import { connect, type NatsConnection } from '@nats-io/transport-node';
import { IpcError, isIpcError, type IpcErrorDetails, type WaitOptions } from '@octoipc/core';
import { BLOCKED, closedError, WaitQueue } from '@octoipc/core/kit';

import { failure, refusedOptions } from './failure.js';
import type { NatsOptions } from './options.js';
import type { Place } from './place.js';
import { within } from './within.js';

/** Between two attempts to reach a server that is gone, in milliseconds. */
const RETRY = 100;

/** A server that is silent for three of these, in milliseconds, is taken for gone. */
const PING = 10_000;

/**
 * The connection of one channel to its server.
 *
 * Lifetime: until `close()`. When the server is gone it goes on trying, for ever, and `up` waits for that;
 * it is over only when the server refuses it, and `up` tells.
 */
export class Link {
  readonly nc: NatsConnection;
  readonly details: IpcErrorDetails;
  readonly #waiting: WaitQueue;
  #wake: (() => void) | undefined;
  #up = true;
  #closed = false;
  #over: unknown;
  #loss: unknown;
  /** Told when the connection that there is now is lost. */
  readonly #affected = new Set<(error: unknown) => void>();
  readonly #watchers = new Set<(error?: unknown) => void>();

  private constructor(nc: NatsConnection, details: IpcErrorDetails) {
    this.nc = nc;
    this.details = details;
    this.#waiting = new WaitQueue({
      listen: (wake) => {
        this.#wake = wake;
      },
      rest: () => {
        this.#wake = undefined;
      },
    });
    void this.#watch();
    void nc.closed().then((error) => this.#end(error));
  }

  static async open(place: Place, options: NatsOptions): Promise<Link> {
    const { user, pass, server: servers, target } = place;
    const details = { syscall: 'connect', target };
    const settings = {
      servers,
      ...(user === undefined ? {} : { user }),
      ...(pass === undefined ? {} : { pass }),
      name: `octoipc ${process.pid}`,
      reconnectTimeWait: RETRY,
      reconnectJitter: RETRY,
      pingInterval: PING,
      ...options.connection,
      maxReconnectAttempts: -1,
    };
    // It throws some of its errors at once, and rejects with the others.
    const connecting = (async () => connect(settings))();
    try {
      const nc = await within(connecting, options, details);
      return new Link(nc, { target });
    } catch (error) {
      // It may come yet, and nobody wants it.
      connecting.then((nc) => nc.close()).catch(() => {});
      throw refusedOptions(error) ?? failure(error, details);
    }
  }

  /** Whether the server is there now, as far as is known. */
  get isUp(): boolean {
    return this.#up && !this.#closed;
  }

  /** Whether it is closed for good: nobody tries to reach the server any more. */
  get isOver(): boolean {
    return this.#closed || this.#over !== undefined;
  }

  /**
   * The outcome of some work, unless the connection that there is now is lost before. Promise.race with one
   * promise for the life of a connection would keep what every call had come to.
   */
  unlessLost<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#affected.add(reject);
      const settle = (settled: () => void): void => {
        this.#affected.delete(reject);
        settled();
      };
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error as Error)),
      );
      if (!this.#up && this.#loss !== undefined) this.#lose(this.#loss);
    });
  }

  /** Waits until the server is there. */
  up(wait: WaitOptions): Promise<void> {
    const attempt = (): void | typeof BLOCKED => {
      this.checkOpen('send');
      if (this.#over !== undefined) throw this.#over;
      if (!this.#up) return BLOCKED;
    };
    return this.#waiting.run(attempt, wait, { details: { syscall: 'connect', ...this.details } });
  }

  /** Calls back at every change: without an error when the server has come or gone, with one at the end. */
  watch(told: (error?: unknown) => void): void {
    this.#watchers.add(told);
  }

  /** @throws {IpcError} ERR_CLOSED when the channel is closed */
  checkOpen(syscall: string): void {
    if (this.#closed) throw closedError({ syscall, ...this.details });
  }

  /** Everything that was handed to the client library goes out, then the connection ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.fail(closedError({ syscall: 'send', ...this.details }));
    // A server that is gone takes nothing any more.
    if (this.#up) await this.nc.drain().catch(() => this.nc.close());
    else await this.nc.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) {
      if (status.type === 'disconnect') this.#change(false);
      else if (status.type === 'reconnect') this.#change(true);
    }
  }

  #change(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    this.#loss = undefined;
    if (!up) {
      this.#lose(failure(new Error('the connection to the NATS server was lost'), this.details));
    }
    for (const told of this.#watchers) told();
    this.#wake?.();
  }

  #end(error: unknown): void {
    this.#up = false;
    if (this.#closed) return;
    this.#over = overWith(error, { syscall: 'connect', ...this.details });
    this.#lose(this.#over);
    for (const told of this.#watchers) told(this.#over);
    this.#wake?.();
  }

  #lose(error: unknown): void {
    this.#loss = error;
    const affected = [...this.#affected];
    this.#affected.clear();
    for (const reject of affected) reject(error);
  }
}

/** Why a connection is over: it was refused, or the server is gone, however the last attempt to talk to it failed. */
function overWith(error: unknown, details: IpcErrorDetails): unknown {
  const told = failure(error, details);
  if (isIpcError(told, 'EACCES')) return told;
  const text = 'the connection to the NATS server was closed for good';
  return new IpcError('ECONNRESET', { ...details, text, cause: error });
}
