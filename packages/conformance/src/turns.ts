import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets the event loop turn: whatever is on its way gets a chance to arrive. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}
