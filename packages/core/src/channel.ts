import type { WaitOptions } from './wait.js';

/** What can be sent: bytes as they are, a string as UTF-8. */
export type Bytes = Uint8Array | string;

/** Something that is closed once, synchronously, by its owner. */
export interface Closable {
  /** Whether `close()` was called. */
  readonly closed: boolean;
  /** Closes it; pending waits reject with `ERR_CLOSED`. Closing again does nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

/** What a channel of messages can and cannot do. */
export interface ChannelTraits {
  /** The mechanism that carries it: `pipe`, `fifo`, `mq`, … */
  readonly mechanism: string;
  /** Who keeps message boundaries: the kernel, or frames of ours within a byte stream. */
  readonly boundaries: 'kernel' | 'frames';
  /** Whether messages can overtake by priority. */
  readonly priorities: boolean;
  /** Whether messages outlive both processes. */
  readonly persistent: boolean;
  readonly multipleSenders: boolean;
  readonly multipleReceivers: boolean;
  /** The longest message, in bytes. */
  readonly maxMessageSize: number;
  readonly crossMachine: boolean;
}

/** The sending end of a channel of messages. */
export interface Sender extends Closable {
  readonly traits: ChannelTraits;
  /**
   * Sends one message; resolves when the channel has all of it.
   *
   * @throws {IpcError} EMSGSIZE when it is longer than `traits.maxMessageSize`
   * @throws {IpcError} EPIPE when nobody can receive any more
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  send(message: Bytes, options?: WaitOptions & { readonly priority?: number }): Promise<void>;
  /** Sends if that needs no waiting; false, and nothing sent, if it does. */
  trySend(message: Bytes, options?: { readonly priority?: number }): boolean;
}

/**
 * The receiving end of a channel of messages. `for await` gives them until the other side has ended, or until this
 * end is closed.
 */
export interface Receiver extends Closable, AsyncIterable<Buffer> {
  readonly traits: ChannelTraits;
  /**
   * The next message; `null` once the other side has ended and everything was received.
   *
   * @throws {IpcError} ETIMEDOUT when the timeout is over
   */
  receive(options?: WaitOptions): Promise<Buffer | null>;
  /** The next message if there is one; `undefined` if there is none now, `null` at the end. */
  tryReceive(): Buffer | null | undefined;
}

/** The writing end of a byte stream, as a pipe or a socket has it. */
export interface ByteWriter extends Closable {
  /** Writes all of the data. */
  write(data: Bytes, options?: WaitOptions): Promise<void>;
  /** Writes what fits now; the number of bytes taken. */
  tryWrite(data: Bytes): number;
  /** Pending writes keep the process alive, where that can be chosen. */
  ref?(): unknown;
  /** Pending writes do not keep the process alive. */
  unref?(): unknown;
}

/** Where a read puts its bytes, and how many it takes at most. */
export interface ReadTarget {
  /** @default 65536 */
  readonly maxBytes?: number | undefined;
  /** Read into this memory; the result is a view of it. */
  readonly into?: Uint8Array | undefined;
}

/** The reading end of a byte stream. */
export interface ByteReader extends Closable {
  /** What is there, at least one byte, into `into` if given; `null` at the end. */
  read(options?: WaitOptions & ReadTarget): Promise<Buffer | null>;
  /** What is there; `undefined` if nothing is now, `null` at the end. */
  tryRead(options?: ReadTarget): Buffer | null | undefined;
  /** Pending reads keep the process alive, where that can be chosen. */
  ref?(): unknown;
  /** Pending reads do not keep the process alive. */
  unref?(): unknown;
}
