import type { Bytes, ValueReceiver, ValueSender, WaitOptions } from '@octoipc/core';

/** What the named codecs carry. */
export interface CodecValues {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly json: unknown;
  readonly structured: unknown;
}

/** A codec by its name. */
export type CodecName = keyof CodecValues;

/**
 * What both ends of a channel take, beside the codec: an option that the scheme of the URL cannot honour is
 * refused. Schemes of your own add theirs by declaration merging.
 */
export interface ChannelOptions extends WaitOptions {
  /**
   * Make what is missing: the FIFO, the queue, the ring, the stream. Of a receiver on a Unix socket: take
   * over the path of one that is gone. Where nothing can be missing it changes nothing.
   *
   * @default false
   */
  readonly create?: boolean | undefined;
  /** Permission bits of what is made, exact whatever the umask. @default 0o600 */
  readonly mode?: number | undefined;
  /** What this call makes goes when its channel is closed, or the process ends. @default false */
  readonly temporary?: boolean | undefined;
  /** The longest message, in bytes; the same on both ends. */
  readonly maxMessageSize?: number | undefined;
  /** How many messages a new queue holds. */
  readonly maxMessages?: number | undefined;
  /** Bytes of a new ring. @default 1048576 (1 MiB) */
  readonly capacity?: number | undefined;
  /** Whether several processes may send at once; the same on both ends of a FIFO. */
  readonly multipleSenders?: boolean | undefined;
  /** The uid whose FIFO it must be. @default anybody's */
  readonly owner?: number | undefined;
  /** Of the program of `popen:`. @default process.cwd() */
  readonly cwd?: string | undefined;
  /** Of the program of `popen:`. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Of NATS: the receivers of one group compete for messages. @default every receiver has each of them; JetStream: 'octoipc' */
  readonly queue?: string | undefined;
  /** Of JetStream: a stream that there is, or is made under this name. @default one that has the subject */
  readonly stream?: string | undefined;
  /** Of NATS: credentials, TLS and other servers, as its client library takes them. */
  readonly connection?: Readonly<Record<string, unknown>> | undefined;
}

/** What `openSender` takes. */
export interface SenderOptions extends ChannelOptions {
  /** The priority of messages whose `send` names none. @default 0 */
  readonly priority?: number | undefined;
}

/** What `openReceiver` takes. */
export interface ReceiverOptions extends ChannelOptions {
  /**
   * Outlive the senders: when the last one has left, wait for the next instead of ending.
   *
   * @default false; where senders come and go unseen there is no end, and nothing to choose
   */
  readonly persistent?: boolean | undefined;
  /** Of a Unix socket: take over the path of a receiver that is gone. @default whatever `create` is */
  readonly reclaim?: boolean | undefined;
  /** Of NATS: so many messages are taken ahead at most. */
  readonly prefetch?: number | undefined;
  /** Of JetStream: when a message is acknowledged; see `done`. @default 'next' */
  readonly acknowledge?: 'next' | 'manual' | undefined;
  /** Of JetStream: what is not acknowledged for so many milliseconds comes again. @default 30000 */
  readonly ackWait?: number | undefined;
}

/** The sending end of a channel that was opened by a URL. */
export interface ChannelSender<T = Bytes> extends ValueSender<T> {
  /** Where it sends to. */
  readonly url: string;
}

/** The receiving end of a channel that was opened by a URL. */
export interface ChannelReceiver<T = Buffer> extends ValueReceiver<T> {
  /** Where senders reach it: with the port that the kernel has chosen. */
  readonly url: string;
  /**
   * Says that what was received so far is done with. Where the mechanism acknowledges (JetStream) it
   * resolves when the server has taken that down, and the messages never come again; elsewhere it changes
   * nothing.
   */
  done(): Promise<void>;
}

/** How a channel's values become bytes: a codec or its name. */
export interface WithCodec<C> {
  readonly codec: C;
}

/** No codec: bytes, and strings as UTF-8. */
export interface WithoutCodec {
  readonly codec?: undefined;
}
