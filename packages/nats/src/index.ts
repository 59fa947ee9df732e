/**
 * NATS as a channel: the senders and receivers of octoipc beyond one machine, and with JetStream for what
 * must survive.
 *
 * @packageDocumentation
 */
export { natsReceiver, natsSender, type NatsReceiver } from './open.js';
export type { NatsOptions, NatsReceiverOptions, NatsSenderOptions } from './options.js';
