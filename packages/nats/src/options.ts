import type { NodeConnectionOptions } from '@nats-io/transport-node';
import type { WaitOptions } from '@octoipc/core';

/** What both ends take. */
export interface NatsOptions extends WaitOptions {
  /** Credentials, TLS, further servers: what `connect` of `@nats-io/transport-node` takes. */
  readonly connection?: Partial<NodeConnectionOptions> | undefined;
  /** JetStream: make a stream for the subject if there is none. @default false */
  readonly create?: boolean | undefined;
  /** JetStream: the stream's name. @default that of the stream which has the subject */
  readonly stream?: string | undefined;
  /** JetStream: how many messages a new stream holds; beyond, a send waits. @default no bound */
  readonly maxMessages?: number | undefined;
}

/** What `natsSender` takes. */
export type NatsSenderOptions = NatsOptions;

/** What `natsReceiver` takes. */
export interface NatsReceiverOptions extends NatsOptions {
  /**
   * Receivers of one group compete: each message goes to one of them.
   *
   * @default none, every receiver has each message; JetStream: 'octoipc'
   */
  readonly queue?: string | undefined;
  /** So many messages are taken ahead at most. @default 65536; JetStream: 32 */
  readonly prefetch?: number | undefined;
  /**
   * JetStream: whether to ask for the next message says that those before are done with, or only `done`
   * does.
   *
   * @default 'next'
   */
  readonly acknowledge?: 'next' | 'manual' | undefined;
  /**
   * JetStream: of a receiver that is gone, what was not acknowledged comes again after so many milliseconds;
   * one that lives has its messages for as long as it needs.
   *
   * @default 30000
   */
  readonly ackWait?: number | undefined;
}
