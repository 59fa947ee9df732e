import { openFreeBell, ringBell, type OpenedBell } from './bell.js';
import { AT, BELLS } from './racing-layout.js';
import { SLEEP } from './shared-header.js';

const WANTS = AT.wants / 4;

const prefixOf = (id: string): string => `octoipc-bell-${id}-`;

/** Opens a reader's bell. */
export function openReaderBell(id: string): OpenedBell {
  return openFreeBell(prefixOf(id), BELLS);
}

/** Tells that this bell is to be rung. */
export function wantReaderBell(words: Int32Array, number: number): void {
  if (number >= 0) Atomics.or(words, WANTS + (number >> 5), 1 << (number & 31));
}

/** Rings the bells that are wanted, if the bits of who slept say that there are any. */
export function ringReaders(words: Int32Array, id: string, bits: number): void {
  if ((bits & SLEEP.bell) === 0) return;
  for (let word = 0; word < BELLS / 32; word++) {
    let wanted = Atomics.exchange(words, WANTS + word, 0);
    while (wanted !== 0) {
      const bit = 31 - Math.clz32(wanted);
      wanted &= ~(1 << bit);
      ringBell(prefixOf(id) + String(word * 32 + bit));
    }
  }
}
