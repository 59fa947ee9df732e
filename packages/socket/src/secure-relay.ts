import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

import type { Connection } from './connection.js';

/**
 * Carries bytes between a TLS socket and one end of a pair, of which a connection's user has the other.
 *
 * Lifetime: until the TLS socket is closed and what has come through it was read. It keeps the process alive while
 * something that was written, or the end, is on its way to the network: what a write has taken is sent, as the kernel
 * does it for other sockets. It never refers to the connection, so that one that nobody refers to is collected.
 */
export class SecureRelay {
  /** Why the end that the user sees is none. */
  failure: Error | undefined;
  readonly #inner: Connection;
  readonly #stream: TLSSocket;
  /** The socket below TLS. */
  readonly #below: Socket;
  #written = 0;
  #sent = 0;
  #ending = false;
  #closing = false;
  /** Whether a stream, whose writes nobody counts, is to keep the process alive. */
  #followed = false;
  #held = true;
  /** Whether all that was written has been read from the pair, and its end. */
  #forwarded = false;
  /** Whether the other side has told its end. */
  #ended = false;
  /** Whether nobody wants to hear the other side any more. */
  #deaf = false;
  #told: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  /** @param below - what TLS goes through: closed with the stream */
  constructor(inner: Connection, stream: TLSSocket, below: Socket) {
    this.#inner = inner.unref();
    this.#stream = stream;
    this.#below = below;
    stream.on('data', (chunk: Buffer) => this.#arrived(chunk));
    stream.on('end', () => {
      this.#ended = true;
      this.#tellEnd();
    });
    stream.on('drain', () => this.#drained?.());
    stream.on('error', (error) => (this.failure ??= error));
    stream.on('close', () => this.#over());
    stream.resume();
    void this.#forward();
    this.#settle();
    if (stream.closed) this.#over();
  }

  /** So many bytes more are on their way to the network. */
  wrote(count: number): void {
    if (this.#stream.destroyed) return;
    this.#written += count;
    this.#settle();
  }

  /** What was written is followed by the end. */
  end(): void {
    if (this.#forwarded || this.#stream.destroyed) return;
    this.#ending = true;
    this.#settle();
  }

  /** Nobody reads any more; what still comes is dropped. */
  deafen(): void {
    this.#deaf = true;
    this.#tellEnd();
    this.#stream.resume();
  }

  /** The user has closed: what was written goes out yet, then all is closed. */
  close(): void {
    this.#closing = !this.#stream.destroyed;
    this.#deaf = true;
    this.#stream.resume();
    if (this.#forwarded) this.#stream.destroySoon();
    this.#settle();
  }

  /** From now on a stream over the user's end says, by its `ref` and `unref`, whether the process is kept alive. */
  follow(stream: Socket): Socket {
    const says = (alive: boolean, own: () => Socket) => (): Socket => {
      this.#follow(alive);
      return own.call(stream);
    };
    const { ref, unref } = stream as { ref(): Socket; unref(): Socket };
    Object.assign(stream, { ref: says(true, ref), unref: says(false, unref) });
    stream.once('close', () => this.#follow(false));
    this.#follow(true);
    return stream;
  }

  #follow(alive: boolean): void {
    this.#followed = alive;
    this.#settle();
  }

  /** From the user to the network. */
  async #forward(): Promise<void> {
    try {
      for (;;) {
        const chunk = await this.#inner.read();
        if (chunk === null) break;
        await this.#put(chunk);
      }
    } catch {
      // It was closed with something unread, or by #over.
    }
    this.#forwarded = true;
    if (this.#stream.destroyed) return;
    // An end that nobody has told is that of a connection which was collected.
    if (this.#closing || !this.#ending) {
      this.close();
      return;
    }
    this.#stream.end(() => {
      this.#ending = false;
      this.#settle();
    });
  }

  #put(chunk: Buffer): Promise<void> | undefined {
    const stream = this.#stream;
    const { length } = chunk;
    const goesOn = stream.write(chunk, () => {
      this.#sent += length;
      this.#settle();
    });
    if (goesOn || stream.destroyed) return undefined;
    return new Promise((resolve) => (this.#drained = resolve));
  }

  /** From the network to the user. */
  #arrived(chunk: Buffer): void {
    if (this.#deaf) return;
    try {
      const taken = this.#inner.tryWrite(chunk);
      if (taken === chunk.length) return;
      const stream = this.#stream.pause();
      const goOn = (): void => void stream.resume();
      this.#inner.write(chunk.subarray(taken)).then(goOn, () => this.deafen());
    } catch {
      this.deafen();
    }
  }

  #tellEnd(): void {
    // Who cannot be told of the end any more has left, which the reading side tells.
    this.#told ??= this.#inner.closed ? Promise.resolve() : this.#inner.end().catch(() => {});
  }

  /** The TLS socket is closed. What came through it stays to be read, unless it failed. */
  #over(): void {
    if (!this.#ended && !this.#closing)
      this.failure ??= new Error('TLS was closed without its end');
    this.#ending = false;
    this.#closing = false;
    this.#written = this.#sent;
    this.#settle();
    this.#drained?.();
    if (this.#ended && this.#told !== undefined) void this.#told.then(() => this.#inner.close());
    else this.#inner.close();
  }

  /** Whether the process is kept alive. */
  #settle(): void {
    const held = this.#sent < this.#written || this.#ending || this.#closing || this.#followed;
    if (held === this.#held) return;
    this.#held = held;
    if (held) this.#inner.ref();
    else this.#inner.unref();
    if (this.#below.destroyed) return;
    if (held) this.#below.ref();
    else this.#below.unref();
  }
}
