/**
 * All octoipc packages behind one import: a namespace for each mechanism, which loads at first use, and
 * channels of messages over any of them, by URL.
 *
 * @packageDocumentation
 */
export { openReceiver, openSender } from './channels/entry.js';
export type {
  ChannelOptions,
  ChannelReceiver,
  ChannelSender,
  CodecName,
  CodecValues,
  ReceiverOptions,
  SenderOptions,
  WithCodec,
  WithoutCodec,
} from './channels/options.js';
export { registerScheme, schemes, type Scheme, type SchemeEnd } from './channels/registry.js';
export { fifo, mq, pipe, popen, sem, shm, signal, socket } from './namespaces.js';
