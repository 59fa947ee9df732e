import { check, IpcError } from '@octoipc/core/kit';
import type { IpcErrorDetails } from '@octoipc/core';

import { binding } from './binding.js';
import { EBADMSG } from './errno.js';
import type { Memory } from './memory.js';
import { BROADCAST, type RacingGeometry } from './racing-layout.js';
import { damageOf } from './shared-header.js';

/** A broadcast that is mapped, as its ends need it. */
export interface MappedBroadcast {
  readonly memory: Memory;
  readonly geometry: RacingGeometry;
  readonly target: string | number;
  /** The end is closed. */
  ended(end: { close(): void }): void;
}

/** How an end begins. */
export const ROLE = { producer: 0, next: 1, oldest: 2 } as const;

/** Words of an end's state, as native/broadcast.h has them. */
const STATE = { capacity: 0, longest: 1, missed: 5, words: 7 } as const;

/** Where an end is; native code knows the rest of it. */
export class BroadcastPosition {
  readonly bytes: Uint8Array;
  readonly #words = new BigUint64Array(STATE.words);

  /**
   * @throws {IpcError} EBADMSG when the broadcast is damaged
   */
  constructor({ memory, geometry }: MappedBroadcast, role: number, details: IpcErrorDetails) {
    this.#words[STATE.capacity] = BigInt(geometry.size);
    this.#words[STATE.longest] = BigInt(geometry.longest);
    this.bytes = new Uint8Array(this.#words.buffer);
    const joined = binding().broadcastJoin(memory.bytes, this.bytes, role);
    if (joined === EBADMSG) throw damageOf(BROADCAST, memory, details);
    check(joined, 'mmap', details);
  }

  /** How many messages were overwritten before they could be read. */
  get missed(): number {
    return Number(this.#words[STATE.missed]);
  }
}

/** The error of a reader whose producer died. */
export function producerDied(details: IpcErrorDetails): IpcError {
  return new IpcError('EOWNERDEAD', {
    ...details,
    text: 'the producer died',
    hint: 'the broadcast goes on: try again, the next producer joins it as it is',
  });
}
