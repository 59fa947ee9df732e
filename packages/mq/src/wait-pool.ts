import { check, FdSource, Readiness } from '@octoipc/core/kit';

import { binding, type MqBinding } from './binding.js';
import { EAGAIN } from './errno.js';

/** Told of what a call answered: see `waitResult` in binding.ts. */
type Done = (result: number) => void;

/** As many calls as are asked for at once. */
const BATCH = 64;

/**
 * The threads that wait for System V queues, for all queues of this JavaScript thread.
 *
 * Lifetime:
 * 1. One, made at the first wait. Its descriptor, by which its threads tell that they are done, stays;
 *    its threads end by themselves when there is nothing to wait for, and are used again before.
 * 2. A call ends by what it answers, told once, or by `stop`; then its slot is somebody else's.
 */
export class WaitPool {
  readonly #binding: MqBinding;
  readonly #readiness: Readiness;
  readonly #bell: number;
  readonly #source: FdSource;
  readonly #who = new Int32Array(BATCH);
  /** By slot: the native index. */
  readonly #waits: number[] = [];
  readonly #done: (Done | undefined)[] = [];
  readonly #free: number[] = [];
  #calling = 0;
  readonly #rung = (): void => this.#answer();

  private constructor(native: MqBinding) {
    this.#binding = native;
    this.#readiness = Readiness.of(native);
    // This opens it: what keeps the process alive is counted from then on.
    void this.#readiness.mode;
    const fd = new Int32Array(1);
    this.#bell = check(native.bellOpen(fd), 'eventfd');
    this.#source = new FdSource(this.#readiness, fd[0]!);
    // Queues that wait keep the process alive; this pool by itself does not.
    this.#source.ref(false);
  }

  static #pool: WaitPool | undefined;

  static get(): WaitPool {
    WaitPool.#pool ??= new WaitPool(binding());
    return WaitPool.#pool;
  }

  /** Waits until there is a message of such a type; its slot. */
  receive(id: number, type: number, flags: number, done: Done): number {
    return this.#begin(done, (index) => this.#binding.waitReceive(index, id, type, flags));
  }

  /** Sends a message, whose bytes are copied; the slot. */
  send(id: number, data: Uint8Array, type: number, done: Done): number {
    return this.#begin(done, (index) => this.#binding.waitSend(index, id, data, type));
  }

  /** Ends a call that nobody was told of yet; what it answered, -EINTR if nothing. */
  stop(slot: number): number {
    const result = this.#binding.waitStop(this.#waits[slot]!);
    this.#release(slot);
    return result;
  }

  /** One more, or one less, that keeps the process alive. */
  keep(change: 1 | -1): void {
    this.#readiness.keep(change);
  }

  #begin(done: Done, call: (index: number) => number): number {
    const slot = this.#free.pop() ?? this.#waits.length;
    this.#waits[slot] ??= check(this.#binding.waitOpen(this.#bell, slot), 'pthread_create');
    try {
      if (this.#calling === 0) this.#source.readable.listen(this.#rung);
    } catch (error) {
      this.#free.push(slot);
      throw error;
    }
    this.#calling += 1;
    this.#done[slot] = done;
    const result = call(this.#waits[slot]!);
    if (result < 0) this.#release(slot);
    check(result, 'pthread_create', { hint: NO_THREAD });
    return slot;
  }

  #release(slot: number): void {
    this.#done[slot] = undefined;
    this.#free.push(slot);
    if (--this.#calling === 0) this.#source.readable.rest();
  }

  #answer(): void {
    const who = this.#who;
    for (;;) {
      const count = this.#binding.bellAnswer(this.#bell, who);
      for (let i = 0; i < count; i++) {
        const slot = who[i]!;
        const done = this.#done[slot];
        // Stopped meanwhile; its slot may have a new call already, which is not done.
        if (done === undefined) continue;
        const result = this.#binding.waitResult(this.#waits[slot]!);
        if (result === EAGAIN) continue;
        this.#release(slot);
        done(result);
      }
      if (count < BATCH) return;
    }
  }
}

const NO_THREAD = 'no thread can be started: raise RLIMIT_NPROC, or wait for fewer types at once';
