import { check } from './errors.js';
import type { WakeSource } from './wait.js';

/** The functions of `readiness.h`, which every binding with descriptors exports. */
export interface ReadinessBinding {
  readinessOpen(ready: (count: number) => void, events: Int32Array, mode: number): number;
  readinessAdd(index: number, fd: number, slot: number): number;
  readinessRemove(index: number, fd: number): number;
  readinessKeep(index: number, alive: boolean): number;
  readinessMode(index: number): number;
  poll(fd: number, events: number, milliseconds: number): number;
}

/** Bits of poll(2) and epoll(7), which agree. */
export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;

const READABLE = POLLIN | 0x002 /* PRI */ | POLLERR | POLLHUP | 0x2000; /* RDHUP */
const WRITABLE = POLLOUT | POLLERR | POLLHUP;

/** As many events as the native side hands over at once. */
const BATCH = 64;

/** Edges that nobody waited for before a descriptor leaves the epoll set until the next wait. */
const UNCLAIMED_EDGES = 8;

/** How a runtime waits: by libuv's poll on its own loop, or by a poller thread. */
export type ReadinessMode = 'loop' | 'thread';

const MODES = { auto: 0, loop: 1, thread: 2 } as const;

/** Added to a mode: readiness.h says why. */
const PLAIN_CALL = 4;

/** Bun has the symbols of libuv's poll, but calling one ends the process; Deno's napi_make_callback does. */
function wantedMode(): number {
  if ('deno' in process.versions) return MODES.thread + PLAIN_CALL;
  const wanted = process.env['OCTOIPC_READINESS'];
  if (wanted === 'loop' || wanted === 'thread') return MODES[wanted];
  return 'bun' in process.versions ? MODES.thread : MODES.auto;
}

const readinessOf = new WeakMap<ReadinessBinding, Readiness>();

/**
 * The epoll set of one binding in one thread, opened at the first wait.
 *
 * Lifetime: as long as its thread; the native side stops it when the environment ends. It keeps the
 * process alive while somebody waits on a source that is not unref'ed, and holds a source's callbacks
 * only while somebody waits.
 */
export class Readiness {
  readonly #binding: ReadinessBinding;
  readonly #events = new Int32Array(2 * BATCH);
  readonly #sources: (FdSource | undefined)[] = [];
  readonly #free: number[] = [];
  #index = -1;
  #kept = 0;

  private constructor(binding: ReadinessBinding) {
    this.#binding = binding;
  }

  static of(binding: ReadinessBinding): Readiness {
    let readiness = readinessOf.get(binding);
    if (readiness === undefined) {
      readiness = new Readiness(binding);
      readinessOf.set(binding, readiness);
    }
    return readiness;
  }

  /** Which way of waiting is in use. */
  get mode(): ReadinessMode {
    return this.#binding.readinessMode(this.#open()) === MODES.loop ? 'loop' : 'thread';
  }

  /** Puts a descriptor in the set; its slot. */
  add(fd: number, source: FdSource): number {
    const index = this.#open();
    const slot = this.#free.pop() ?? this.#sources.length;
    const result = this.#binding.readinessAdd(index, fd, slot);
    if (result < 0) {
      this.#free.push(slot);
      if (slot === this.#sources.length) this.#sources.push(undefined);
    }
    check(result, 'epoll_ctl', { target: fd });
    this.#sources[slot] = source;
    return slot;
  }

  remove(fd: number, slot: number): void {
    this.#binding.readinessRemove(this.#index, fd);
    this.#sources[slot] = undefined;
    this.#free.push(slot);
  }

  /** One more, or one less, that keeps the process alive. */
  keep(change: 1 | -1): void {
    this.#kept += change;
    if (this.#kept === (change === 1 ? 1 : 0)) {
      this.#binding.readinessKeep(this.#index, change === 1);
    }
  }

  #open(): number {
    if (this.#index < 0) {
      const ready = (count: number): void => this.#dispatch(count);
      const result = this.#binding.readinessOpen(ready, this.#events, wantedMode());
      this.#index = check(result, 'epoll_create1');
    }
    return this.#index;
  }

  #dispatch(count: number): void {
    for (let i = 0; i < count; i++) {
      this.#sources[this.#events[2 * i]!]?.dispatch(this.#events[2 * i + 1]!);
    }
  }
}

/** One direction of a descriptor as what wakes a queue. */
class Side implements WakeSource {
  readonly #source: FdSource;
  wake: (() => void) | undefined;

  constructor(source: FdSource) {
    this.#source = source;
  }

  listen(wake: () => void): void {
    this.#source.enter();
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
 * Lifetime: `dispose` before the descriptor is closed. The first wait puts it in the epoll set, where
 * it stays, edge-triggered, until too many edges come that nobody waits for.
 */
export class FdSource {
  readonly readable: WakeSource;
  readonly writable: WakeSource;
  readonly #readiness: Readiness;
  readonly #fd: number;
  readonly #reading: Side;
  readonly #writing: Side;
  #slot = -1;
  #waiting = 0;
  #alive = true;
  #unclaimed = 0;

  constructor(readiness: Readiness, fd: number) {
    this.#readiness = readiness;
    this.#fd = fd;
    this.readable = this.#reading = new Side(this);
    this.writable = this.#writing = new Side(this);
  }

  /** Somebody begins to wait. */
  enter(): void {
    if (this.#slot < 0) {
      this.#slot = this.#readiness.add(this.#fd, this);
      this.#unclaimed = 0;
    }
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

  /** What epoll reported. */
  dispatch(mask: number): void {
    const read = (mask & READABLE) === 0 ? undefined : this.#reading.wake;
    const write = (mask & WRITABLE) === 0 ? undefined : this.#writing.wake;
    if (read === undefined && write === undefined) {
      this.#unclaimed += 1;
      if (this.#unclaimed >= UNCLAIMED_EDGES && this.#waiting === 0) this.dispose();
      return;
    }
    this.#unclaimed = 0;
    read?.();
    write?.();
  }

  /** Takes the descriptor out of the set. */
  dispose(): void {
    if (this.#slot < 0) return;
    this.#readiness.remove(this.#fd, this.#slot);
    this.#slot = -1;
  }
}
