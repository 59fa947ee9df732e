import type { Receiver, Sender } from '@octoipc/core';

import type { Adapter } from './adapter.js';
import type { Suite } from './case.js';
import { messageFlow } from './message-channel-flow.js';
import { messages } from './message-channel-messages.js';

/** What a channel of messages may lack. */
export type MessageChannelTrait =
  /** The receiver gets `null` once the sender has closed. */
  | 'end'
  /** A send rejects with `EPIPE` once the receiver has closed. */
  | 'brokenPipe'
  /** It holds a bounded number of messages or bytes; beyond, a send waits. */
  | 'bounded'
  /** A message of no bytes can be sent. */
  | 'emptyMessages'
  /** `send(message, { priority })`: the highest comes first. */
  | 'priorities';

/** Both ends of one channel, in this process. */
export interface ChannelEnds {
  readonly sender: Sender;
  readonly receiver: Receiver;
}

/** How to make channels of a mechanism. */
export interface MessageChannelAdapter extends Adapter<MessageChannelTrait> {
  /** A new channel. The suite closes both ends. Its `maxMessageSize` had best be small. */
  open(): ChannelEnds | Promise<ChannelEnds>;
}

/** All cases of a channel of messages. */
export const messageChannelSuite: Suite<MessageChannelAdapter> = {
  trait: 'message channel',
  cases: [...messages, ...messageFlow],
};
