/**
 * What the octoipc packages share: errors, waiting, channels of messages, frames and codecs.
 *
 * @packageDocumentation
 */
export { capabilities, type Capabilities, type Capability } from './capabilities.js';
export type {
  ByteReader,
  Bytes,
  ByteWriter,
  ChannelTraits,
  Closable,
  ReadTarget,
  Receiver,
  Sender,
} from './channel.js';
export {
  bytes,
  json,
  structured,
  text,
  withCodec,
  type Codec,
  type ValueReceiver,
  type ValueSender,
} from './codec.js';
export type { FrameOptions, FrameSender, FrameSenderOptions } from './frame.js';
export { frameReceiver, type FrameReceiver } from './frame-receiver.js';
export { frameSender } from './frame-sender.js';
export {
  IpcError,
  isIpcError,
  reap,
  type IpcErrorDetails,
  type ReapReport,
  type WaitOptions,
} from './kit.js';
