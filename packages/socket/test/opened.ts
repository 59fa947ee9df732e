import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { listen, socketPair, type Connection, type Server } from '@octoipc/socket';
import { onTestFinished } from 'vitest';

import { Peer } from '../../core/test/peer.js';

/** Closes it when the test is over. */
export function closing<T extends { close(): void }>(handle: T): T {
  onTestFinished(() => handle.close());
  return handle;
}

/** Both ends of a pair. */
export function pair(type?: 'stream' | 'seqpacket'): [Connection, Connection] {
  const [left, right] = socketPair(type === undefined ? undefined : { type });
  return [closing(left), closing(right)];
}

/** A server. */
export async function server(...args: Parameters<typeof listen>): Promise<Server> {
  return closing(await listen(...args));
}

/** What the descriptors of this process stand for. */
export function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return [];
    }
  });
}

/** A process that may have so few descriptors, or as many as this one; what it is to do is in the fixture. */
export function scarce(what: string, most?: number): Peer {
  const fixture = fileURLToPath(new URL('./fixtures/scarce.mjs', import.meta.url));
  const limit = most === undefined ? '' : `ulimit -n ${most}; `;
  const node = [process.execPath, '--expose-gc', fixture, what];
  return Peer.start('/bin/sh', ['-c', `${limit}exec "$@"`, 'sh', ...node], {
    env: { PATH: process.env['PATH'] ?? '' },
  });
}
