import { MSG_TRUNC } from './constants.js';
import { closeFds, takeFds } from './fds.js';
import type { Packet } from './packets.js';
import type { Peer } from './peer.js';
import type { SocketAddress } from './sockaddr.js';

/** One datagram, and who sent it. */
export interface DatagramMessage {
  readonly data: Buffer;
  /** Where to send a reply; `null` where the sender has no name. */
  readonly from: SocketAddress | null;
  /** The sender, as the kernel vouches for it (SCM_CREDENTIALS); `null` over UDP. */
  readonly peer: Peer | null;
  /**
   * Descriptors that came with it. They are yours once you have read this property: close them, or hand
   * them to a `fromFd`. Those of a message whose `fds` nobody reads are closed with it.
   */
  readonly fds: number[];
  /** Whether the datagram was longer than `maxBytes`, and its end is lost. */
  readonly truncated: boolean;
}

/** Descriptors that nobody has asked for are closed when their message is collected. */
const unread = new FinalizationRegistry<readonly number[]>(closeFds);

/** A datagram for the caller. */
export function messageOf(packet: Packet): DatagramMessage {
  const { data, from, peer, fds } = packet;
  const truncated = (packet.flags & MSG_TRUNC) !== 0;
  const message = { data, from, peer, fds: [] as number[], truncated };
  if (fds.length === 0) return message;
  let taken: number[] | undefined;
  unread.register(message, fds, message);
  return Object.defineProperty(message, 'fds', {
    enumerable: true,
    configurable: true,
    get() {
      if (taken === undefined) {
        unread.unregister(message);
        taken = takeFds(fds);
      }
      return taken;
    },
  });
}
