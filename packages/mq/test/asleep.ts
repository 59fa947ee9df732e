import { readdirSync, readFileSync } from 'node:fs';

import type { Peer } from '../../core/test/peer.js';
import { KERNEL } from '../../core/test/proc.js';
import { turns } from './queues.js';

const arm = KERNEL === 'arm64';

/** Numbers of system calls in which somebody may sleep. */
export const CALLS = {
  // qemu-user makes ppoll(2) of it.
  poll: arm ? 73 : KERNEL === process.arch ? 7 : 271,
  mq_timedreceive: arm ? 183 : 243,
  msgrcv: arm ? 188 : 70,
  msgsnd: arm ? 189 : 69,
} as const;

/** How many threads of a process are inside a call now. */
export function threadsIn(call: keyof typeof CALLS, pid: number | 'self' = 'self'): number {
  return readdirSync(`/proc/${pid}/task`).filter((task) => {
    try {
      const text = readFileSync(`/proc/${pid}/task/${task}/syscall`, 'latin1');
      return text.startsWith(`${CALLS[call]} `);
    } catch {
      return false;
    }
  }).length;
}

/** Waits until something holds that others bring about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(1);
}

/** Sends signals to a process that blocks in a call: one that it handles, and a stop that is over at once. */
export async function disturb(peer: Peer, call: keyof typeof CALLS): Promise<void> {
  await until(() => threadsIn(call, peer.pid) > 0);
  for (let i = 0; i < 3; i++) {
    for (const signal of ['SIGUSR2', 'SIGSTOP', 'SIGCONT'] as const) peer.child.kill(signal);
  }
}
