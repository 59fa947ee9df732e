import type { ChannelEnds, MessageChannelAdapter } from '../../src/index.js';
import { channel } from './adapters.js';
import type { Broken } from './broken.js';
import { override } from './override.js';

function broken(
  defect: string,
  rejectedBy: string,
  damage: (ends: ChannelEnds) => void,
): Broken<MessageChannelAdapter> {
  const open = (): ChannelEnds => {
    const ends = channel.open();
    damage(ends);
    return ends;
  };
  return { defect, rejectedBy, adapter: { ...channel, open } };
}

/** Broken channels of messages. */
export const brokenChannels: readonly Broken<MessageChannelAdapter>[] = [
  broken('joins two messages', 'boundaries', ({ receiver }) => {
    override(receiver, {
      receive: (original) => async (options) => {
        const first = await original(options);
        const second = first === null ? null : receiver.tryReceive();
        return first && second ? Buffer.concat([first, second]) : first;
      },
    });
  }),
  broken('takes an empty message for the end', 'empty-message', ({ receiver }) => {
    override(receiver, {
      receive: (original) => async (options) => {
        const message = await original(options);
        return message?.length === 0 ? null : message;
      },
    });
  }),
  broken('cuts what is too long', 'longest-message', ({ sender }) => {
    override(sender, {
      send: (original) => (message, options) => original(message.slice(0, 8_192), options),
    });
  }),
  broken('sends what was cancelled', 'cancelled-send', ({ sender }) => {
    override(sender, {
      send: (original) => (message, options) => {
        const { signal } = options ?? {};
        if (signal === undefined) return original(message, options);
        const aborted = new Promise<never>((_, reject) => {
          if (signal.aborted) reject(signal.reason as Error);
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
        return Promise.race([original(message), aborted]);
      },
    });
  }),
  broken('loses the message of an aborted receive', 'aborted-receive', ({ receiver }) => {
    override(receiver, {
      receive: (original) => (options) => {
        const { signal, ...rest } = options ?? {};
        const aborted = new Promise<never>((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        });
        return Promise.race([original(rest), aborted]);
      },
    });
  }),
  broken('ignores priorities', 'priorities', ({ sender }) => {
    override(sender, {
      send: (original) => (message, options) => original(message, { ...options, priority: 0 }),
    });
  }),
  broken('says that it sent what it could not', 'try-send-full', ({ sender }) => {
    let calls = 0;
    override(sender, {
      trySend: (original) => (message) => original(message) || calls++ === 2,
    });
  }),
  broken('ends when it is empty', 'try-receive-empty', ({ receiver }) => {
    override(receiver, { tryReceive: (original) => () => original() ?? null });
  }),
  broken('forgets what was sent when the sender closes', 'end', ({ sender, receiver }) => {
    override(receiver, {
      receive: (original) => async (options) => (sender.closed ? null : original(options)),
    });
  }),
  broken('keeps using the memory of a message', 'owned-messages', ({ receiver }) => {
    const memory = Buffer.alloc(8_192);
    override(receiver, {
      receive: (original) => async (options) => {
        const message = await original(options);
        return message && memory.subarray(0, message.copy(memory));
      },
    });
  }),
  broken('tells other traits at each end', 'traits', ({ receiver }) => {
    const traits = { ...receiver.traits, maxMessageSize: 1 };
    Object.defineProperty(receiver, 'traits', { value: traits });
  }),
];
