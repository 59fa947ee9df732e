import { constants } from 'node:os';

/** Codes that tell how a signal was sent, whichever it is: sigaction(2). */
const ANY: ReadonlyMap<number, string> = new Map([
  [0, 'SI_USER'],
  [0x80, 'SI_KERNEL'],
  [-1, 'SI_QUEUE'],
  [-2, 'SI_TIMER'],
  [-3, 'SI_MESGQ'],
  [-4, 'SI_ASYNCIO'],
  [-5, 'SI_SIGIO'],
  [-6, 'SI_TKILL'],
  [-7, 'SI_DETHREAD'],
  [-60, 'SI_ASYNCNL'],
]);

/** What the kernel tells with signals of its own, by signal; codes count from 1. */
const OWN: Readonly<Record<number, readonly string[]>> = {
  [constants.signals.SIGCHLD]: [
    'CLD_EXITED',
    'CLD_KILLED',
    'CLD_DUMPED',
    'CLD_TRAPPED',
    'CLD_STOPPED',
    'CLD_CONTINUED',
  ],
  [constants.signals.SIGIO]: [
    'POLL_IN',
    'POLL_OUT',
    'POLL_MSG',
    'POLL_ERR',
    'POLL_PRI',
    'POLL_HUP',
  ],
};

/** The name of a signal's code, as sigaction(2) has it. */
export function codeName(number: number, code: number): string {
  return ANY.get(code) ?? OWN[number]?.[code - 1] ?? `SI_${code}`;
}

/** Whether a signal with this code carries a value. */
export function hasValue(code: number): boolean {
  return code === -1 || code === -2 || code === -3 || code === -4;
}

/** Whether a signal with this code tells of a child. */
export function hasStatus(number: number, code: number): boolean {
  return number === constants.signals.SIGCHLD && code >= 1 && code <= 6;
}

/** Whether a process has sent it, so that pid and uid are a sender's. */
export function hasSender(code: number): boolean {
  return code === 0 || code === -1 || code === -3 || code === -6;
}
