import type { ByteReader, ReadTarget } from '@octoipc/core';
import {
  AGAIN,
  BLOCKED,
  bufferOf,
  busyError,
  check,
  checkTimeout,
  DEFAULT_MAX_BYTES,
  errorOf,
  IpcError,
  iterate,
  linesOf,
  readAllOf,
  readIntoSlab,
  readTarget,
  valueError,
  waitOptions,
  waitSync,
  type LinesOptions,
  type Operation,
  type ReadAllOptions,
  type ReadOptions,
  type ReadSyncOptions,
} from '@octoipc/core/kit';

import type { ConnectionType } from './connection-options.js';
import { SOCK_SEQPACKET, SOCK_STREAM } from './constants.js';
import { adoptSocket, SocketEnd } from './end.js';
import { PacketInbox } from './inbox.js';
import { SocketHandle } from './socket-handle.js';

/** The bytes that come from the other side. */
export abstract class ByteInput extends SocketHandle implements ByteReader, AsyncIterable<Buffer> {
  readonly type: ConnectionType;
  /** What was read ahead of its time: it is read first. */
  #returned: Buffer | undefined;
  /** @internal */
  protected readonly inbox: PacketInbox;
  readonly #fill = (memory: Uint8Array, offset: number, length: number): number =>
    this.socket.read(memory, offset, length);
  readonly #fillSleeping = (memory: Uint8Array, offset: number, length: number): number =>
    this.socket.readSleeping(memory, offset, length);

  readonly #giveBack = (chunks: readonly Buffer[]): void => {
    this.putBack(Buffer.concat(chunks));
    this.wake('readable');
  };

  /** @param end - owned by the binding, or a descriptor from outside, which is checked and taken over */
  protected constructor(end: SocketEnd | number) {
    super(end instanceof SocketEnd ? end : adoptSocket(end, [SOCK_STREAM, SOCK_SEQPACKET]));
    this.type = this.socket.type === SOCK_SEQPACKET ? 'seqpacket' : 'stream';
    this.inbox = new PacketInbox(this.socket);
  }

  /**
   * Reads what is there, at least one byte; waits if there is nothing.
   *
   * @param options - how much, where to, how long
   * @returns the bytes, which are yours; `null` when the other side has ended
   * @throws {IpcError} ECONNRESET when the other side closed without having read everything
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} ERR_CLOSED when the connection is closed, now or while it waits
   * @see recv(2)
   */
  read(options?: ReadOptions): Promise<Buffer | null> {
    try {
      const { maxBytes, into } = readTarget(options);
      const wait = waitOptions(options);
      this.checkOpen('recv');
      const attempt = (): Buffer | null | typeof BLOCKED => this.#take(maxBytes, into, this.#fill);
      return this.waitFor('readable', attempt, wait, this.reading('recv'));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @internal A read, which waits for what is in the kernel, and not for what was taken out before. */
  protected reading(syscall: string): Operation {
    const ready = (): boolean => this.hasTaken;
    return { details: this.socket.details(syscall), ready };
  }

  /**
   * Reads what is there without waiting.
   *
   * @returns the bytes; `undefined` if there is nothing now, or others wait already; `null` at the end
   */
  tryRead(options?: ReadTarget): Buffer | null | undefined {
    const { maxBytes, into } = readTarget(options);
    this.checkOpen('recv');
    if (this.isWaiting('readable')) return undefined;
    const result = this.#take(maxBytes, into, this.#fill);
    return result === BLOCKED ? undefined : result;
  }

  /**
   * Reads what is there; blocks this thread while there is nothing.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   * @throws {IpcError} EBUSY when reads wait already
   */
  readSync(options?: ReadSyncOptions): Buffer | null {
    const { maxBytes, into } = readTarget(options);
    checkTimeout(options?.timeout);
    this.checkOpen('recv');
    if (this.isWaiting('readable')) throw busyError(this.socket.details('recv'));
    if (options?.timeout === undefined) {
      const result = this.#take(maxBytes, into, this.#fillSleeping);
      if (result !== BLOCKED) return result;
    }
    return waitSync(
      () => this.#take(maxBytes, into, this.#fill),
      (milliseconds) => this.sleep('readable', milliseconds),
      options?.timeout,
      { details: this.socket.details('recv') },
    );
  }

  /**
   * Reads until the other side has ended.
   *
   * @param options - a bound, and how long all of it may take
   * @throws {IpcError} EMSGSIZE when more than `maxBytes` come; as after an abort or a timeout, what was
   *   read by then is read again by the next call
   */
  readAll(options?: ReadAllOptions): Promise<Buffer> {
    return readAllOf(this, this.socket.details('recv'), this.#giveBack, options);
  }

  /**
   * Lines of UTF-8 text, without their line feed (and a carriage return before it). What was read ahead when the
   * loop is left is read again by the next call.
   */
  lines(options?: LinesOptions): AsyncIterableIterator<string> {
    return linesOf(this, options, this.#giveBack);
  }

  /** Chunks (packets of a seqpacket connection) until the end or `close()`. Leaving the loop does not close. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.read(wait) });
  }

  /** Bytes that can be read now (FIONREAD), those of packets that were taken ahead included. */
  get available(): number {
    this.checkOpen('ioctl');
    const { binding, fd, target } = this.socket;
    const waiting = (this.#returned?.length ?? 0) + this.inbox.available;
    return check(binding.available(fd), 'ioctl', { target }) + waiting;
  }

  /**
   * What was read before its time, taken out of the connection.
   *
   * @internal
   */
  takeReturned(): Buffer | undefined {
    const returned = this.#returned;
    this.#returned = undefined;
    return returned;
  }

  /** @internal Has bytes read again, before all others. */
  protected putBack(bytes: Buffer): void {
    this.#returned = this.#returned === undefined ? bytes : Buffer.concat([bytes, this.#returned]);
  }

  /** @internal Whether something was taken out of the kernel that nobody has read. */
  protected get hasTaken(): boolean {
    return this.#returned !== undefined || !this.inbox.isEmpty;
  }

  /** @internal Whoever gets the descriptor would not see it. */
  protected checkNothingTaken(): void {
    if (!this.hasTaken) return;
    const hint =
      this.type === 'seqpacket'
        ? 'packets that were received ahead wait here: take them with tryReceive() first'
        : 'bytes that were read ahead wait here: take them with tryReceive() or tryRead() first';
    throw new IpcError('EBUSY', { ...this.socket.details('release'), hint });
  }

  protected override describe(): { syscall: string; target: string | number } {
    return this.socket.details('recv');
  }

  override close(): void {
    this.inbox.clear();
    super.close();
  }

  #take(
    maxBytes: number,
    into: Uint8Array | undefined,
    fill: (memory: Uint8Array, offset: number, length: number) => number,
  ): Buffer | null | typeof BLOCKED {
    // Before anything is taken that would have nowhere to go.
    if (into?.length === 0) throw valueError('options.into', 'was detached while it waited', into);
    if (this.#returned !== undefined) {
      const part = this.#returned.subarray(0, Math.min(maxBytes, into?.length ?? Infinity));
      this.#returned =
        part.length < this.#returned.length ? this.#returned.subarray(part.length) : undefined;
      return into === undefined ? part : copied(part, into);
    }
    if (this.type === 'seqpacket' && (into === undefined || !this.inbox.isEmpty)) {
      const sleeping = fill === this.#fillSleeping;
      const packet = this.inbox.take({ maxBytes, truncate: true, sleeping });
      if (packet === null || packet === BLOCKED || into === undefined) return packet;
      return copied(packet, into);
    }
    if (into === undefined) return this.#taken(readIntoSlab(this.#room(maxBytes), fill));
    const count = fill(into, 0, Math.min(into.length, maxBytes));
    if (count < 0 || (count === 0 && this.#isEnd())) return this.#taken(count);
    return count === into.length && Buffer.isBuffer(into)
      ? into
      : bufferOf(into.buffer, into.byteOffset, count);
  }

  /** Whether no bytes are the end; of packets some may have none. */
  #isEnd(): boolean {
    return this.type === 'stream' || this.inbox.isEnd();
  }

  /** Memory for what is there, not for what the caller would take at most. */
  #room(maxBytes: number): number {
    if (maxBytes <= DEFAULT_MAX_BYTES) return maxBytes;
    const { binding, fd } = this.socket;
    return Math.min(maxBytes, Math.max(DEFAULT_MAX_BYTES, binding.available(fd)));
  }

  #taken(result: Buffer | number): Buffer | null | typeof BLOCKED {
    if (typeof result !== 'number') return result;
    if (result === 0) {
      this.checkEnd();
      return null;
    }
    if (result === AGAIN) return BLOCKED;
    throw errorOf(result, 'recv', { target: this.socket.target });
  }

  /** Throws where no bytes are not the end. */
  protected checkEnd(): void {
    // The kernel has the last word, unless there is something between it and us.
  }
}

function copied(part: Buffer, into: Uint8Array): Buffer {
  const fits = part.subarray(0, into.length);
  into.set(fits);
  return bufferOf(into.buffer, into.byteOffset, fits.length);
}
