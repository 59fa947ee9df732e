import { checkOptions } from '../check.js';
import { patiently } from '../patience.js';
import type { Scheme } from '../registry.js';
import { ToldReceiver, ToldSender } from '../traits.js';
import { owning } from './pipe.js';
import { boundOptions, unixAddress } from './socket.js';

const NAME = 'unix+dgram';

/** Datagrams over a Unix socket: one is bound, any number send to it. */
export const scheme: Scheme = {
  async sender(url, options) {
    checkOptions(NAME, options, ['maxMessageSize'], 'many');
    const address = unixAddress(NAME, url);
    const { Datagram, datagramSender } = await import('@octoipc/socket');
    const socket = await patiently(() => Datagram.connect(address), url, options);
    return owning(socket, () => {
      const { maxMessageSize } = options;
      return new ToldSender(datagramSender(socket, { maxMessageSize }), { mechanism: NAME });
    });
  },
  async receiver(url, options) {
    checkOptions(NAME, options, ['maxMessageSize', 'mode', 'reclaim'], 'many');
    const address = unixAddress(NAME, url);
    const { Datagram, datagramReceiver } = await import('@octoipc/socket');
    const socket = await Datagram.bind(address, boundOptions(options));
    return owning(socket, () => {
      const { maxMessageSize } = options;
      return new ToldReceiver(datagramReceiver(socket, { maxMessageSize }), { mechanism: NAME });
    });
  },
};
