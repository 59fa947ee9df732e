import type { Peer } from '../../core/test/peer.js';

/** The descriptor of a child's standard stream on our side: Node's own stdio pipes are sockets. */
export function socketOf({ child }: Peer, end: 'stdin' | 'stdout' = 'stdout'): number {
  return (child[end] as unknown as { _handle: { fd: number } })._handle.fd;
}
