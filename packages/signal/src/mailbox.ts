import type { WakeSource } from '@octoipc/core/kit';

import { station } from './station.js';
import { isRealTime } from './names.js';
import type { SignalInfo } from './info.js';

/** As many signals as one watcher keeps before the kernel is left to keep the rest. */
const FULL = 4096;

interface MailboxOptions {
  readonly observe?: boolean;
  readonly single?: boolean;
  /** Told at once, instead of keeping what comes. Must not throw. */
  readonly deliver?: (info: SignalInfo) => void;
}

/**
 * What one watcher is told, in order.
 *
 * Lifetime: from `open` to `close`; it never refers to its watcher, so that a dropped one can be collected.
 */
export class Mailbox implements WakeSource {
  readonly numbers: ReadonlySet<number>;
  readonly observe: boolean;
  /** Takes no more than one at a time: what it would leave, it would lose. */
  readonly single: boolean;
  #waiting: SignalInfo[] = [];
  #next = 0;
  /** How many of each standard signal are kept. */
  readonly #kept = new Map<number, number>();
  #wake: (() => void) | undefined;
  #alive = true;
  #open = false;

  readonly #deliver: ((info: SignalInfo) => void) | undefined;

  constructor(numbers: readonly number[], { observe, single, deliver }: MailboxOptions = {}) {
    this.numbers = new Set(numbers);
    this.observe = observe === true;
    this.single = single === true;
    this.#deliver = deliver;
  }

  get length(): number {
    return this.#waiting.length - this.#next;
  }

  /** Whether it has as much as it can keep of what the kernel would keep for it. */
  get full(): boolean {
    return this.length >= FULL;
  }

  open(): void {
    station().add(this);
    this.#open = true;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.rest();
    station().remove(this);
  }

  /** One more has come. The kernel merges standard signals, and keeps the first: so does a full mailbox. */
  put(info: SignalInfo): void {
    if (this.#deliver !== undefined) {
      this.#deliver(info);
      return;
    }
    if (!isRealTime(info.number)) {
      const kept = this.#kept.get(info.number) ?? 0;
      if (this.full && kept > 0) return;
      this.#kept.set(info.number, kept + 1);
    }
    this.#waiting.push(info);
    if (this.length === FULL) station().fill();
    this.#wake?.();
  }

  /** The next one, or undefined where there is none. */
  take(): SignalInfo | undefined {
    if (this.#next === this.#waiting.length) return undefined;
    const info = this.#waiting[this.#next]!;
    const kept = this.#kept.get(info.number);
    if (kept !== undefined) this.#kept.set(info.number, kept - 1);
    this.#next += 1;
    if (this.#next === this.#waiting.length) {
      // The memory of a few is kept for the next ones.
      if (this.#next === 1) this.#waiting.pop();
      else this.#waiting = [];
      this.#next = 0;
    } else if (this.#next >= 1024) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
    if (this.length === FULL / 2) station().fill();
    return info;
  }

  listen(wake: () => void): void {
    this.#wake = wake;
    if (this.#alive) station().keep(1);
  }

  rest(): void {
    if (this.#wake === undefined) return;
    this.#wake = undefined;
    if (this.#alive) station().keep(-1);
  }

  /** Whether who waits for it keeps the process alive. */
  ref(alive: boolean): void {
    if (alive === this.#alive) return;
    this.#alive = alive;
    if (this.#wake !== undefined) station().keep(alive ? 1 : -1);
  }
}
