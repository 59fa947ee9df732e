// @octoipc/nats

import { WaitOptions, Receiver, Sender } from '@octoipc/core';

import { NodeConnectionOptions } from '@nats-io/transport-node';

interface NatsOptions extends WaitOptions {
  readonly connection?: Partial<NodeConnectionOptions> | undefined;
  readonly create?: boolean | undefined;
  readonly stream?: string | undefined;
  readonly maxMessages?: number | undefined;
}

interface NatsReceiver extends Receiver {
  done(): Promise<void>;
}

interface NatsReceiverOptions extends NatsOptions {
  readonly queue?: string | undefined;
  readonly prefetch?: number | undefined;
  readonly acknowledge?: 'next' | 'manual' | undefined;
  readonly ackWait?: number | undefined;
}

type NatsSenderOptions = NatsOptions;

declare function natsReceiver(url: string, options?: NatsReceiverOptions): Promise<NatsReceiver>;

declare function natsSender(url: string, options?: NatsSenderOptions): Promise<Sender>;

export {
  type NatsOptions,
  type NatsReceiver,
  type NatsReceiverOptions,
  type NatsSenderOptions,
  natsReceiver,
  natsSender,
};
