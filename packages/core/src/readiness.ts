import { check } from './errors.js';
import type { FdSource } from './fd-source.js';

/** The functions of `readiness.h`, which every binding with descriptors exports. */
export interface ReadinessBinding {
  readinessOpen(ready: (count: number) => void, events: Int32Array, mode: number): number;
  readinessAdd(index: number, fd: number, slot: number): number;
  readinessRemove(index: number, fd: number): number;
  /** Polls a descriptor by itself; negative where it has to go into the set. Bindings of older packages lack it. */
  readinessWatch?(index: number, fd: number, slot: number, events: number): number;
  /** The same for what is in the set and in blocking mode. */
  readinessStandIn?(index: number, fd: number, slot: number, events: number): number;
  readinessUnwatch?(index: number, slot: number): number;
  readinessKeep(index: number, alive: boolean): number;
  readinessMode(index: number): number;
  poll(fd: number, events: number, milliseconds: number): number;
}

/** As many events as the native side hands over at once. */
const BATCH = 64;

/** Where the two words are that native and JavaScript share behind the events; see `readiness.h`. */
const ALIVE = 2 * BATCH;
const CALLING = ALIVE + 1;

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
 * What polls the descriptors of one binding in one thread: an epoll set, opened at the first wait, and
 * libuv's own polls.
 *
 * Lifetime: as long as its thread; the native side stops it when the environment ends. It keeps the
 * process alive while somebody waits on a source that is not unref'ed, and holds a source's callbacks
 * only while somebody waits.
 */
export class Readiness {
  readonly #binding: ReadinessBinding;
  readonly #events = new Int32Array(2 * BATCH + 2);
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

  /** A slot for a source, which is told what happens to its descriptor. */
  take(source: FdSource): number {
    this.#open();
    const slot = this.#free.pop() ?? this.#sources.length;
    this.#sources[slot] = source;
    return slot;
  }

  give(slot: number): void {
    this.#sources[slot] = undefined;
    this.#free.push(slot);
  }

  /** Puts a descriptor in the set: its edges are told, all of them. */
  add(fd: number, slot: number): void {
    check(this.#binding.readinessAdd(this.#index, fd, slot), 'epoll_ctl', { target: fd });
  }

  remove(fd: number): void {
    this.#binding.readinessRemove(this.#index, fd);
  }

  /** Polls a descriptor by itself, for POLLIN, POLLOUT, both, or for now none; false where that cannot be. */
  watch(fd: number, slot: number, events: number): boolean {
    const result = this.#binding.readinessWatch?.(this.#index, fd, slot, events);
    return result !== undefined && result >= 0;
  }

  /** Polls one that `watch` refuses and that is in the set, at the price of a descriptor; false where that cannot be. */
  standIn(fd: number, slot: number, events: number): boolean {
    const result = this.#binding.readinessStandIn?.(this.#index, fd, slot, events);
    return result !== undefined && result >= 0;
  }

  unwatch(slot: number): void {
    this.#binding.readinessUnwatch?.(this.#index, slot);
  }

  /** One more, or one less, that keeps the process alive. */
  keep(change: 1 | -1): void {
    this.#kept += change;
    if (this.#kept !== (change === 1 ? 1 : 0)) return;
    this.#events[ALIVE] = this.#kept;
    // One wait often follows the other: what has come of it is looked at when the call is over.
    if (this.#events[CALLING] === 0) this.#binding.readinessKeep(this.#index, change === 1);
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
      try {
        this.#sources[this.#events[2 * i]!]?.dispatch(this.#events[2 * i + 1]!);
      } catch (error) {
        // Uncaught; the edges of the others are told once.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
