import { checkCreation, checkOptions, given, pathOf } from '../check.js';
import type { ChannelOptions } from '../options.js';
import type { Scheme } from '../registry.js';

const BOTH = ['mode', 'maxMessageSize', 'owner'] as const;

/** Frames over a FIFO; whoever comes first waits for the other. */
export const scheme: Scheme = {
  async sender(url, options) {
    checkOptions('fifo', options, BOTH, 'option');
    const path = checked(url, options);
    const { fifoSender } = await import('@octoipc/fifo');
    return fifoSender(path, given(options));
  },
  async receiver(url, options) {
    checkOptions('fifo', options, [...BOTH, 'persistent'], 'option');
    const path = checked(url, options);
    const { fifoReceiver } = await import('@octoipc/fifo');
    return fifoReceiver(path, given(options));
  },
};

function checked(url: string, options: ChannelOptions): string {
  checkCreation(options);
  return pathOf('fifo', url);
}
