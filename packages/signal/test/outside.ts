import { readFileSync } from 'node:fs';

import { block, rt, unblock } from '@octoipc/signal';

let shift: number | undefined;

function blockedOutside(): bigint {
  const status = readFileSync('/proc/thread-self/status', 'latin1');
  return BigInt(`0x${/SigBlk:\s*(\w+)/.exec(status)?.[1]}`);
}

/** What a real-time signal is for the kernel, and so for a foreign program: an emulator has another number for it. */
export function outside(number: number): number {
  if (shift === undefined) {
    const probe = 11;
    const before = blockedOutside();
    block(`SIGRTMIN+${probe}`);
    const bit = blockedOutside() & ~before;
    unblock(`SIGRTMIN+${probe}`);
    shift = bit.toString(2).length - rt(probe);
  }
  return number + shift;
}
