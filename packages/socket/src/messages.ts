import type { Bytes, FrameReceiver, FrameSender, WaitOptions } from '@octoipc/core';
import {
  AGAIN,
  BLOCKED,
  busyError,
  bytes,
  errorOf,
  IpcError,
  iterate,
  valueError,
  waitSync,
  type Attempt,
} from '@octoipc/core/kit';

import { BATCH } from './binding.js';
import { afterTurn, Burst, SENT } from './burst.js';
import type { ByteConnection } from './byte-connection.js';
import { SO_SNDBUF, SOL_SOCKET } from './constants.js';
import { intOption } from './end.js';
import { frameOf, frames } from './frames.js';
import type { PacketInbox } from './inbox.js';

/** How messages travel over a connection: the arguments are checked. */
export interface Messages {
  readonly maxMessageSize: number;
  send(message: Bytes, options: WaitOptions): Promise<void>;
  trySend(message: Bytes): boolean;
  sendSync(message: Bytes, timeout: number | undefined): void;
  receive(options: WaitOptions): Promise<Buffer | null>;
  tryReceive(): Buffer | null | undefined;
  receiveSync(timeout: number | undefined): Buffer | null;
  /** All of them as they come. */
  iterate(): AsyncIterableIterator<Buffer>;
  /** Hands what was sent to the kernel, as far as it takes that now; whether it took all of it. */
  flush(): boolean;
  /** Writes something else, or ends this side, in its place among the messages. */
  inOrder<T>(write: (wait: WaitOptions) => Promise<T>, wait: WaitOptions): Promise<T>;
  /** Takes out what was read ahead of bytes, for whoever reads them. */
  takeUnread(): Buffer;
}

/** Messages as frames within a stream. */
export class StreamMessages implements Messages {
  readonly maxMessageSize: number;
  readonly #connection: ByteConnection;
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;

  constructor(connection: ByteConnection, maxMessageSize: number) {
    this.#connection = connection;
    this.maxMessageSize = maxMessageSize;
    this.#sender = frames().frameSender(connection, { maxMessageSize });
    this.#receiver = frames().frameReceiver(connection, { maxMessageSize });
  }

  send(message: Bytes, options: WaitOptions): Promise<void> {
    return options.signal === undefined && options.timeout === undefined
      ? this.#sender.send(message)
      : this.#sender.send(message, options);
  }

  trySend(message: Bytes): boolean {
    return this.#sender.trySend(message);
  }

  sendSync(message: Bytes, timeout: number | undefined): void {
    const data = bytes(message, 'message');
    if (data.length > this.maxMessageSize) throw tooLong(data.length, this.maxMessageSize);
    const connection = this.#connection;
    if (!this.flush()) throw busyError(connection.socket.details('send'));
    const frame = frameOf(data);
    try {
      connection.writeSync(frame, timeout === undefined ? undefined : { timeout });
    } catch (error) {
      // What is on its way is finished in the background, or the next message would be taken for its end.
      const { bytesWritten = 0 } = error as { bytesWritten?: number };
      if (bytesWritten > 0) connection.write(frame.subarray(bytesWritten)).catch(() => {});
      throw error;
    }
  }

  receive(options: WaitOptions): Promise<Buffer | null> {
    return this.#receiver.receive(options);
  }

  tryReceive(): Buffer | null | undefined {
    return this.#receiver.tryReceive();
  }

  iterate(): AsyncIterableIterator<Buffer> {
    return this.#receiver[Symbol.asyncIterator]();
  }

  receiveSync(timeout: number | undefined): Buffer | null {
    const connection = this.#connection;
    if (connection.isWaiting('readable')) throw busyError(connection.socket.details('receive'));
    return waitSync<Buffer | null>(
      () => {
        const message = this.#receiver.tryReceive();
        return message === undefined ? BLOCKED : message;
      },
      (milliseconds) => connection.sleep('readable', milliseconds),
      timeout,
      { details: connection.socket.details('receive') },
    );
  }

  flush(): boolean {
    return this.#sender.flush();
  }

  inOrder<T>(write: (wait: WaitOptions) => Promise<T>, wait: WaitOptions): Promise<T> {
    return this.#sender.inOrder(write, wait);
  }

  takeUnread(): Buffer {
    return this.#receiver.takeUnread();
  }
}

function tooLong(size: number, limit: number): IpcError {
  return new IpcError('EMSGSIZE', {
    syscall: 'send',
    hint: `the message has ${size} bytes, maxMessageSize is ${limit}`,
  });
}

const NOTHING = Buffer.alloc(0);

/** The kernel's own needs within SO_SNDBUF: unix(7). */
const SNDBUF_OVERHEAD = 32;

/** The longest packet that a socket sends. */
export function longestPacket(fd: number): number {
  return intOption(fd, SOL_SOCKET, SO_SNDBUF) - SNDBUF_OVERHEAD;
}

/** Messages as packets. */
export class PacketMessages implements Messages {
  readonly #connection: ByteConnection;
  readonly #inbox: PacketInbox;
  readonly #limit: number;
  readonly #burst = new Burst();

  constructor(connection: ByteConnection, inbox: PacketInbox, maxMessageSize: number) {
    this.#connection = connection;
    this.#inbox = inbox;
    this.#limit = maxMessageSize;
  }

  get maxMessageSize(): number {
    const { fd } = this.#connection;
    return Math.min(this.#limit, longestPacket(fd));
  }

  send(message: Bytes, options: WaitOptions): Promise<void> {
    let turns = false;
    if (options.signal === undefined && options.timeout === undefined) {
      turns = !this.#burst.goesOn();
      if (!turns && this.trySend(message)) return SENT;
      this.#burst.end();
    }
    const attempt = this.#sending(message);
    const details = this.#connection.socket.details('send');
    const first = turns ? afterTurn(attempt) : attempt;
    return this.#connection.waitFor('writable', first, options, { details });
  }

  trySend(message: Bytes): boolean {
    const packet = this.#packet(message);
    if (this.#connection.isWaiting('writable')) return false;
    const { socket: end } = this.#connection;
    const count = end.write(packet, 0, packet.length);
    if (count >= 0) return true;
    if (count === AGAIN) return false;
    throw errorOf(count, 'send', { target: end.target });
  }

  sendSync(message: Bytes, timeout: number | undefined): void {
    const packet = this.#packet(message);
    const connection = this.#connection;
    if (timeout === undefined && !connection.isWaiting('writable')) {
      const { socket: end } = connection;
      const count = end.writeSleeping(packet, 0, packet.length);
      if (count >= 0) return;
      if (count !== AGAIN) throw errorOf(count, 'send', { target: end.target });
    }
    connection.writeSync(packet, timeout === undefined ? undefined : { timeout });
  }

  receive(options: WaitOptions): Promise<Buffer | null> {
    const attempt = (): Buffer | null | typeof BLOCKED => this.#take(BATCH);
    const details = this.#connection.socket.details('receive');
    const ready = (): boolean => !this.#inbox.isEmpty;
    return this.#connection.waitFor('readable', attempt, options, { details, ready });
  }

  tryReceive(): Buffer | null | undefined {
    if (this.#connection.isWaiting('readable')) return undefined;
    const packet = this.#take(1);
    return packet === BLOCKED ? undefined : packet;
  }

  iterate(): AsyncIterableIterator<Buffer> {
    const connection = this.#connection;
    return iterate<Buffer>({
      handle: connection,
      takesTurns: true,
      take: () =>
        connection.isWaiting('readable') ? BLOCKED : (this.#inbox.takeReady() ?? this.#take(BATCH)),
      receive: (wait) => this.receive(wait),
    });
  }

  receiveSync(timeout: number | undefined): Buffer | null {
    const connection = this.#connection;
    if (connection.isWaiting('readable')) throw busyError(connection.socket.details('receive'));
    if (timeout === undefined) {
      const packet = this.#inbox.takeReady() ?? this.#take(BATCH, true);
      if (packet !== BLOCKED) return packet;
    }
    return this.#receiveWaiting(timeout);
  }

  #receiveWaiting(timeout: number | undefined): Buffer | null {
    const connection = this.#connection;
    const sleep = (milliseconds: number): void => connection.sleep('readable', milliseconds);
    const details = connection.socket.details('receive');
    return waitSync(() => this.#take(1), sleep, timeout, { details });
  }

  flush(): boolean {
    // Each packet goes out by itself, in the kernel's queue or in that of the connection.
    return true;
  }

  inOrder<T>(write: (wait: WaitOptions) => Promise<T>, wait: WaitOptions): Promise<T> {
    return write(wait);
  }

  takeUnread(): Buffer {
    return NOTHING;
  }

  #take(ahead: number, sleeping = false): Buffer | null | typeof BLOCKED {
    return this.#inbox.take({ maxBytes: this.#room(), truncate: false, ahead, sleeping });
  }

  /** What a packet may have at most: the kernel's own limit is a buffer's size, so 16 MiB are plenty. */
  #room(): number {
    return Math.max(1, this.#limit);
  }

  #packet(message: Bytes): Uint8Array {
    const data = bytes(message, 'message');
    if (data.length === 0) {
      throw valueError(
        'message',
        'must not be empty: a packet without bytes looks like the end',
        data,
      );
    }
    if (data.length > this.#limit) throw tooLong(data.length, this.#limit);
    return data;
  }

  #sending(message: Bytes): Attempt<void> {
    const data = this.#packet(message);
    const { length } = data;
    const { socket: end } = this.#connection;
    return () => {
      if (data.length !== length) {
        throw valueError('message', 'was detached or resized while it was being sent', data);
      }
      // A packet goes whole, or not at all.
      const count = end.write(data, 0, length);
      if (count === AGAIN) return BLOCKED;
      if (count < 0) throw errorOf(count, 'send', { target: end.target });
      return undefined;
    };
  }
}
