import type { Memory } from './memory.js';
import type { RingEnd } from './ring-end.js';
import type { RingGeometry } from './ring-layout.js';

/** What one end has done so far. */
export interface RingStats {
  /** Messages that were sent, or received. */
  readonly messages: number;
  /** How often this end slept. */
  readonly sleeps: number;
  /** How often it woke the other side. */
  readonly wakes: number;
  /** Deaths on the other side. */
  readonly deaths: number;
}

/** A ring that is mapped, as its ends need it. */
export interface MappedRing {
  readonly memory: Memory;
  readonly geometry: RingGeometry;
  readonly target: string | number | undefined;
  /** The end is closed. */
  ended(end: RingEnd): void;
}
