import { SocketEnd } from './end.js';
import type { SecureRelay } from './secure-relay.js';

/** The user's end of the pair below a TLS connection: what it takes is on its way to the network. */
export class SecureEnd extends SocketEnd {
  readonly relay: SecureRelay;

  /** @param below - what it stands for */
  constructor(fd: number, below: SocketEnd, relay: SecureRelay) {
    super(fd, below.domain, below.type, below.target);
    this.relay = relay;
  }

  override write(from: Uint8Array, offset: number, length: number): number {
    const count = super.write(from, offset, length);
    if (count > 0) this.relay.wrote(count);
    return count;
  }
}
