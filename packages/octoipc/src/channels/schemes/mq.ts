import { checkCreation, checkOptions, given, posixName } from '../check.js';
import type { ChannelOptions } from '../options.js';
import type { Scheme } from '../registry.js';
import { owning } from './pipe.js';

const BOTH = ['mode', 'temporary', 'maxMessages', 'maxMessageSize'] as const;

/** A POSIX message queue. */
export const scheme: Scheme = {
  async sender(url, options) {
    checkOptions('mq', options, [...BOTH, 'priority'], 'many');
    const name = checked(url, options);
    const { mqSender, PosixQueue } = await import('@octoipc/mq');
    return owning(PosixQueue.open(name, { ...queueOf(options), access: 'send' }), mqSender);
  },
  async receiver(url, options) {
    checkOptions('mq', options, BOTH, 'many');
    const name = checked(url, options);
    const { mqReceiver, PosixQueue } = await import('@octoipc/mq');
    return owning(PosixQueue.open(name, { ...queueOf(options), access: 'receive' }), mqReceiver);
  },
};

function checked(url: string, options: ChannelOptions): string {
  checkCreation(options);
  return posixName('mq', url);
}

function queueOf(options: ChannelOptions): object {
  const { create, mode, temporary, maxMessages, maxMessageSize } = options;
  return given({ create, mode, temporary, maxMessages, maxMessageSize });
}
