import { POLLERR, POLLIN, POLLOUT, READABLE, WRITABLE } from './poll-events.js';
import type { Readiness } from './readiness.js';
import type { WakeSource } from './wait.js';

/** Edges that nobody waited for before a descriptor leaves the epoll set until the next wait. */
const UNCLAIMED_EDGES = 8;

/** Edges in a row that somebody waited for before a descriptor gets a second number, which libuv can poll. */
const CLAIMED_EDGES = 16;

/** Reports in a row that helped nobody before a descriptor is told of by its edges only. */
const IDLE_REPORTS = 3;

/** One direction of a descriptor as what wakes a queue. */
class Side implements WakeSource {
  readonly #source: FdSource;
  readonly #events: number;
  /** Answers true if it took something, as a queue does. */
  wake: (() => unknown) | undefined;

  constructor(source: FdSource, events: number) {
    this.#source = source;
    this.#events = events;
  }

  get tellsLevels(): boolean {
    return this.#source.tellsLevels;
  }

  listen(wake: () => unknown): void {
    this.#source.enter(this.#events);
    this.wake = wake;
  }

  rest(): void {
    if (this.wake === undefined) return;
    this.wake = undefined;
    this.#source.leave();
  }
}

/**
 * Readiness of one descriptor, in both directions.
 *
 * Lifetime: `dispose` before the descriptor is closed. No other source polls the same number: libuv has one
 * poll a number, and the end of one is the end of the other's. The first wait has it polled, and so it stays, since
 * a wait follows the other: by libuv's own poll until something comes that nobody waits for, or, where that
 * is impossible or would go on telling what helps nobody (the end of a FIFO's last writer), by its edges
 * in the epoll set until too many come that nobody waits for. What libuv must not poll, since it would set
 * O_NONBLOCK for all who share it, it polls by a second number where one wait has followed the other often.
 */
export class FdSource {
  readonly readable: WakeSource;
  readonly writable: WakeSource;
  readonly #readiness: Readiness;
  readonly #fd: number;
  readonly #reading: Side;
  readonly #writing: Side;
  #slot = -1;
  /** What libuv polls for. */
  #polled = 0;
  /** Whether it is in the epoll set. */
  #inSet = false;
  /** Whether it has to be. */
  #edges = false;
  #waiting = 0;
  #alive = true;
  #unclaimed = 0;
  #claimed = 0;
  #idle = 0;

  constructor(readiness: Readiness, fd: number) {
    this.#readiness = readiness;
    this.#fd = fd;
    this.readable = this.#reading = new Side(this, POLLIN);
    this.writable = this.#writing = new Side(this, POLLOUT);
  }

  /** Whether what is there already when a wait begins is told of, too. */
  get tellsLevels(): boolean {
    return this.#polled !== 0;
  }

  /** Somebody begins to wait. */
  enter(events: number): void {
    if (!this.#inSet && (this.#polled & events) === 0) this.#poll(this.#polled | events);
    this.#waiting += 1;
    if (this.#alive) this.#readiness.keep(1);
  }

  /** Somebody waits no more. */
  leave(): void {
    this.#waiting -= 1;
    if (this.#alive) this.#readiness.keep(-1);
  }

  /** Whether waits on this descriptor keep the process alive. */
  ref(alive: boolean): void {
    if (alive === this.#alive) return;
    this.#alive = alive;
    for (let i = 0; i < this.#waiting; i++) this.#readiness.keep(alive ? 1 : -1);
  }

  /** What was reported. */
  dispatch(mask: number): void {
    const read = (mask & READABLE) === 0 ? undefined : this.#reading.wake;
    const write = (mask & WRITABLE) === 0 ? undefined : this.#writing.wake;
    if (this.#inSet) this.#tellEdge(read, write);
    else this.#tellLevel(mask, read, write);
  }

  /** Ends all polling. */
  dispose(): void {
    if (this.#slot < 0) return;
    if (this.#inSet) this.#readiness.remove(this.#fd);
    // Also of what went to the set: a poll that rested, and was refused when it was to go on, is still there.
    this.#readiness.unwatch(this.#slot);
    this.#readiness.give(this.#slot);
    this.#slot = -1;
    this.#polled = 0;
    this.#inSet = false;
  }

  #tellEdge(read: (() => unknown) | undefined, write: (() => unknown) | undefined): void {
    if (read === undefined && write === undefined) {
      this.#claimed = 0;
      this.#unclaimed += 1;
      if (this.#unclaimed >= UNCLAIMED_EDGES && this.#waiting === 0) this.dispose();
      return;
    }
    this.#unclaimed = 0;
    read?.();
    write?.();
    this.#claimed += 1;
    if (this.#claimed === CLAIMED_EDGES && this.#inSet && !this.#edges) this.#leaveSet();
  }

  /** From the set to a poll of its own. */
  #leaveSet(): void {
    const wanted = this.#wanted();
    if (!this.#readiness.standIn(this.#fd, this.#slot, wanted)) return;
    this.#readiness.remove(this.#fd);
    this.#inSet = false;
    this.#polled = wanted;
  }

  /** What somebody waits for. */
  #wanted(): number {
    return (
      (this.#reading.wake === undefined ? 0 : POLLIN) |
      (this.#writing.wake === undefined ? 0 : POLLOUT)
    );
  }

  #tellLevel(
    mask: number,
    read: (() => unknown) | undefined,
    write: (() => unknown) | undefined,
  ): void {
    // libuv stops by itself at an error.
    if ((mask & POLLERR) !== 0) this.#polled = 0;
    let helped = read !== undefined && read() === true;
    if (write !== undefined && write() === true) helped = true;
    if (this.#slot < 0) return;
    const wanted = this.#wanted();
    this.#idle = helped || wanted === 0 ? 0 : this.#idle + 1;
    if (this.#idle >= IDLE_REPORTS) {
      this.#edges = true;
      this.dispose();
      this.#poll(wanted);
      return;
    }
    // What is still there would be told again at once: only who took it is likely to ask for more.
    const unclaimed = (read === undefined ? POLLIN : 0) | (write === undefined ? POLLOUT : 0);
    const then = (this.#polled & ~(mask & unclaimed)) | wanted;
    if (then !== this.#polled) this.#poll(then);
  }

  /** From now on these events are polled for, or all edges are told. */
  #poll(events: number): void {
    const readiness = this.#readiness;
    if (this.#slot < 0) this.#slot = readiness.take(this);
    if (!this.#edges && readiness.watch(this.#fd, this.#slot, events)) {
      this.#polled = events;
      return;
    }
    try {
      if (this.#polled !== 0) readiness.unwatch(this.#slot);
      this.#polled = 0;
      readiness.add(this.#fd, this.#slot);
      this.#inSet = true;
      this.#unclaimed = 0;
      this.#claimed = 0;
    } catch (error) {
      readiness.give(this.#slot);
      this.#slot = -1;
      throw error;
    }
  }
}
