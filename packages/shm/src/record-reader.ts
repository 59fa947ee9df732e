import type { MappedRing } from './mapped-ring.js';
import { RingEnd } from './ring-end.js';
import { KIND, WORD } from './ring-layout.js';

const padded = (length: number): number => (length + 7) & ~7;

/** An end of a ring as what finds records in it, and gives their room back. */
export abstract class RecordReader extends RingEnd {
  /** How long the message is that `peek` has found. @internal */
  protected messageLength = 0;

  /** @internal */
  constructor(ring: MappedRing) {
    super(ring, false);
  }

  /** @internal */
  protected override isReady(): boolean {
    return Atomics.load(this.words, WORD.tail) !== this.here;
  }

  /** @internal */
  protected override mend(): void {
    this.look();
  }

  /** @internal */
  protected sawDeath(): boolean {
    this.checkWhole();
    if (!this.death) this.look();
    return this.death;
  }

  /** @internal */
  protected checkDeath(): void {
    if (this.sawDeath() && !this.isReady()) throw this.ownerDead();
  }

  /** Where the next message's payload is, from `here` on, its length in `messageLength`; -1 if there is none. @internal */
  protected peek(here: number = this.here): number {
    const { capacity } = this.geometry;
    this.here = here;
    for (;;) {
      if (this.here === this.there) {
        this.there = Atomics.load(this.words, WORD.tail);
        if (this.here === this.there) return -1;
        this.checkPositions(this.there, this.here);
      }
      const at = this.here & (capacity - 1);
      const rest = capacity - at;
      // Once: another process may change them while they are looked at.
      const length = this.records[at >> 2]! >>> 0;
      const kind = this.records[(at >> 2) + 1]!;
      const left = (this.there - this.here) >>> 0;
      const most = (left < rest ? left : rest) - 8;
      if (kind === KIND.message && length <= this.maxMessageSize && padded(length) <= most) {
        this.messageLength = length;
        return at + 8;
      }
      if (kind !== KIND.filler || length !== rest - 8 || length > most) throw this.damage();
      this.here = (this.here + rest) | 0;
    }
  }

  /** @internal */
  protected publish(): void {
    Atomics.store(this.words, WORD.head, this.here);
    if (Atomics.load(this.words, WORD.producerSleep) !== 0) this.waker.producers();
  }
}
