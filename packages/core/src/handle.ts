import type { Closable } from './channel.js';
import { check, closedError, type IpcErrorDetails } from './errors.js';
import { warnOfLeak } from './leak.js';
import { FdSource } from './fd-source.js';
import { Readiness, type ReadinessBinding } from './readiness.js';
import { callback } from './validate.js';
import { WaitQueue } from './wait.js';

/** What a binding must export for handles of descriptors: `environment.h` and `readiness.h`. */
export interface DescriptorBinding extends ReadinessBinding {
  close(fd: number): number;
  adopt(fd: number): number;
  adoptCopy(fd: number): number;
  release(fd: number): number;
}

/** What must be closed when a handle goes without `close()`. Never refers to the handle. */
interface Owned {
  fd: number;
  readonly binding: DescriptorBinding;
  source: FdSource | undefined;
  /** What else tells of the descriptor. */
  further: FdSource[] | undefined;
}

const dropped = new FinalizationRegistry<Owned>((owned) => {
  if (owned.fd < 0) return;
  closeOwned(owned);
  warnOfLeak();
});

function closeOwned(owned: Owned): void {
  const { fd } = owned;
  owned.fd = -1;
  disposeOf(owned);
  owned.binding.close(fd);
}

/** Nothing polls a number any more that is about to be somebody else's. */
function disposeOf({ source, further }: Owned): void {
  source?.dispose();
  for (const one of further ?? []) one.dispose();
}

/** Which way a queue waits. */
export type Direction = 'readable' | 'writable';

/**
 * A handle that owns one descriptor.
 *
 * Lifetime:
 * 1. From construction the native side owns the descriptor for this thread: it is closed by `close()`,
 *    else when the handle is collected (with one warning), else when the thread ends.
 * 2. `close()` rejects pending waits, takes the descriptor out of epoll, then closes it, once; the number
 *    is forgotten before, so nothing can reach a descriptor that got the same number later.
 * 3. A pending wait keeps the handle and the process alive (`unref()`: only the handle); an idle handle
 *    keeps neither.
 */
export abstract class FdHandle implements Closable {
  readonly #owned: Owned;
  #readable: WaitQueue | undefined;
  #writable: WaitQueue | undefined;
  #closing: Set<() => void> | undefined;
  #alive = true;

  /** @param fd - owned by `binding` already: made by it, or taken over with `adopt` */
  protected constructor(fd: number, binding: DescriptorBinding) {
    this.#owned = { fd, binding, source: undefined, further: undefined };
    dropped.register(this, this.#owned);
  }

  /**
   * The file descriptor. It stays this handle's: do not close it, and give it away by `release()` only.
   *
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  get fd(): number {
    const { fd } = this.#owned;
    if (fd < 0) throw closedError(this.describe());
    return fd;
  }

  /** Whether the handle was closed or its descriptor given away. */
  get closed(): boolean {
    return this.#owned.fd < 0;
  }

  /** Closes the descriptor; pending waits reject with `ERR_CLOSED`. Closing again does nothing. */
  close(): void {
    if (this.#owned.fd < 0) return;
    this.#end(closeOwned);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Pending waits keep the process alive; that is so from the start. */
  ref(): this {
    return this.#setAlive(true);
  }

  /** Pending waits of this handle do not keep the process alive. */
  unref(): this {
    return this.#setAlive(false);
  }

  /**
   * Gives the descriptor away: the caller owns it from now on, and this handle is closed.
   *
   * @returns the descriptor's number
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  release(): number {
    const { fd } = this;
    this.#end((owned) => {
      owned.fd = -1;
      disposeOf(owned);
      check(owned.binding.release(fd), 'release', { target: fd });
    });
    return fd;
  }

  /**
   * Calls back once the handle was closed or its descriptor given away: for work that goes on with a
   * duplicate.
   *
   * @returns what takes that back
   */
  onClosed(told: () => void): () => void {
    const all = (this.#closing ??= new Set());
    all.add(callback(told, 'told'));
    return () => void all.delete(told);
  }

  /**
   * A further source of this descriptor, which goes with it: for who waits otherwise than in a queue of this
   * handle, and instead of it.
   *
   * @returns the source, which `close()`, `release()` and the collector dispose of
   * @throws {IpcError} ERR_CLOSED when the handle is closed
   */
  newSource(): FdSource {
    const owned = this.#owned;
    const source = new FdSource(Readiness.of(owned.binding), this.fd);
    (owned.further ??= []).push(source);
    return source;
  }

  /** How errors name this handle. */
  protected abstract describe(): IpcErrorDetails;

  /** The queue of those who wait in one direction. */
  protected queue(direction: Direction): WaitQueue {
    return direction === 'readable'
      ? (this.#readable ??= this.#newQueue(direction))
      : (this.#writable ??= this.#newQueue(direction));
  }

  /** How many wait in one direction. */
  protected waiting(direction: Direction): number {
    const queue = direction === 'readable' ? this.#readable : this.#writable;
    return queue === undefined ? 0 : queue.length;
  }

  /** Who waits in one direction tries again: something has come that the kernel does not tell of. */
  protected wake(direction: Direction): void {
    if (this.waiting(direction) > 0) this.queue(direction).wake();
  }

  #newQueue(direction: Direction): WaitQueue {
    const queue = new WaitQueue(this.#source()[direction]);
    if (!this.#alive) queue.ref(false);
    return queue;
  }

  #source(): FdSource {
    const owned = this.#owned;
    if (owned.source === undefined) {
      owned.source = new FdSource(Readiness.of(owned.binding), this.fd);
      owned.source.ref(this.#alive);
    }
    return owned.source;
  }

  #setAlive(alive: boolean): this {
    this.#alive = alive;
    this.#owned.source?.ref(alive);
    this.#readable?.ref(alive);
    this.#writable?.ref(alive);
    return this;
  }

  #end(dispose: (owned: Owned) => void): void {
    const waiting = [this.#readable, this.#writable].filter(
      (queue) => queue !== undefined && queue.length > 0,
    );
    // An error costs a stack trace: it is made only if somebody waits.
    const error = waiting.length === 0 ? undefined : closedError(this.describe());
    dispose(this.#owned);
    for (const queue of waiting) queue?.fail(error);
    for (const told of this.#closing ?? []) told();
  }
}
