/** Room in a ring that is about to be a message. */
export interface RingClaim {
  /** The message's bytes, in the ring itself; of no use after `commit` or `abort`. */
  readonly bytes: Uint8Array;
  /** Sends it. */
  commit(): void;
  /** Gives the room back. */
  abort(): void;
}

/** Told how long the message is; undefined: there is none. */
type EndClaim = (claim: Claim, length: number | undefined) => void;

/** A claim of a producer, which is told how it ends. */
export class Claim implements RingClaim {
  readonly bytes: Uint8Array;
  /** What was reserved, whatever somebody makes of `bytes`. */
  readonly #length: number;
  readonly #end: EndClaim;

  constructor(bytes: Uint8Array, end: EndClaim) {
    this.bytes = bytes;
    this.#length = bytes.length;
    this.#end = end;
  }

  commit(): void {
    this.#end(this, this.#length);
  }

  abort(): void {
    this.#end(this, undefined);
  }
}
