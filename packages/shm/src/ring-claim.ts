/** Room in a ring that is about to be a message. */
export interface RingClaim {
  /** The message's bytes, in the ring itself; of no use after `commit` or `abort`. */
  readonly bytes: Uint8Array;
  /** Sends it. */
  commit(): void;
  /** Gives the room back. */
  abort(): void;
}

/** A claim of a producer, which is told how it ends. */
export class Claim implements RingClaim {
  readonly bytes: Uint8Array;
  readonly #end: (claim: Claim, commit: boolean) => void;

  constructor(bytes: Uint8Array, end: (claim: Claim, commit: boolean) => void) {
    this.bytes = bytes;
    this.#end = end;
  }

  commit(): void {
    this.#end(this, true);
  }

  abort(): void {
    this.#end(this, false);
  }
}
