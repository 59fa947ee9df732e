import { check, errorOf, FdSource, Readiness } from '@octoipc/core/kit';

import { binding, type SignalBinding } from './binding.js';
import { ChildSignals } from './child-signals.js';
import { infoOf, RECORD, ticketOf, type SignalInfo } from './info.js';
import type { Mailbox } from './mailbox.js';
import { isRealTime } from './names.js';
import { addTo } from './set.js';

/** As many signals as cross to JavaScript in one call. */
const BATCH = 256;

/** As many batches as are handed on before the event loop turns. */
const BURST = 16;

/** What is open while somebody watches. */
interface Line {
  readonly index: number;
  readonly sources: readonly FdSource[];
}

/**
 * Where the signals of this thread arrive, and go to everyone who watches them.
 *
 * Lifetime: one a thread. Something native is open, with two descriptors, only while there are mailboxes;
 * the native side closes it when the thread ends. It keeps the process alive while somebody waits.
 */
class Station {
  readonly #binding: SignalBinding = binding();
  readonly #mailboxes = new Set<Mailbox>();
  readonly #children = new ChildSignals();
  readonly #byNumber = new Map<number, Set<Mailbox>>();
  readonly #words = new Int32Array(RECORD * BATCH);
  #line: Line | undefined;
  #kept = 0;
  #singles = 0;
  #again = false;
  #calm = false;
  /** What has crossed and is still to be handed on: also where somebody who is told asks for more. */
  #arrived: SignalInfo[] = [];
  #handed = 0;
  readonly #drain = (): boolean => this.drain();

  add(mailbox: Mailbox): void {
    this.#children.enter(mailbox.numbers);
    const added = [...mailbox.numbers].map((number) => this.#boxesOf(number).add(mailbox));
    this.#mailboxes.add(mailbox);
    try {
      this.#configure();
    } catch (error) {
      for (const boxes of added) boxes.delete(mailbox);
      this.#mailboxes.delete(mailbox);
      if (this.#mailboxes.size === 0) this.#hangUp();
      this.#children.leave(mailbox.numbers);
      throw error;
    }
    if (mailbox.single) this.#singles += 1;
  }

  remove(mailbox: Mailbox): void {
    if (mailbox.single) this.#singles -= 1;
    for (const number of mailbox.numbers) this.#boxesOf(number).delete(mailbox);
    this.#mailboxes.delete(mailbox);
    if (this.#mailboxes.size === 0) this.#hangUp();
    else this.#configure();
    this.#children.leave(mailbox.numbers);
  }

  /** A mailbox has become full, or has room again. */
  fill(): void {
    if (this.#line !== undefined) this.#configure();
  }

  /** One more, or one less, that keeps the process alive. */
  keep(change: 1 | -1): void {
    this.#kept += change;
    if (this.#kept === 0 || (this.#kept === 1 && change === 1)) this.#ref(this.#kept > 0);
  }

  /**
   * Whether signals come one at a time: the last one was alone, and there was nothing behind it. What comes
   * next is reported by the event loop, so who waits need not look.
   */
  get isCalm(): boolean {
    return this.#calm;
  }

  /** Hands on what has come by now; whether anything had. */
  drain(): boolean {
    let taken = false;
    for (let burst = 0; burst < BURST; burst++) {
      // Who wants one only, and goes then, leaves the others in the kernel's queue.
      const max = this.#singles > 0 ? 1 : BATCH;
      if (this.#line === undefined) return taken;
      const count = this.#binding.take(this.#line.index, this.#words, max);
      this.#calm = count === 1 && max > 1;
      if (count > 0) {
        taken = true;
        this.#deliver(count);
      }
      if (count < max) return taken;
      if (max === 1) break;
    }
    this.#continue();
    return taken;
  }

  /** Sleeps until something may have come. */
  sleep(milliseconds: number): void {
    if (this.#line === undefined) return;
    const result = this.#binding.sleep(this.#line.index, milliseconds);
    if (result < 0) checkSleep(result);
  }

  #boxesOf(number: number): Set<Mailbox> {
    let boxes = this.#byNumber.get(number);
    if (boxes === undefined) {
      boxes = new Set();
      this.#byNumber.set(number, boxes);
    }
    return boxes;
  }

  #deliver(count: number): void {
    let ticket = 0;
    for (let at = 0; at < count * RECORD; at += RECORD) {
      this.#arrived.push(infoOf(this.#words, at));
      ticket = ticketOf(this.#words, at) || ticket;
    }
    this.#handOver();
    if (ticket !== 0) this.#settle(ticket);
  }

  /** Each step takes what it hands on, so that a call from within goes on where this one is. */
  #handOver(): void {
    for (;;) {
      const info = this.#arrived[this.#handed];
      if (info === undefined) break;
      this.#handed += 1;
      for (const mailbox of this.#boxesOf(info.number)) mailbox.put(info);
    }
    if (this.#handed === 0) return;
    this.#arrived = [];
    this.#handed = 0;
  }

  /** Once those who were told have had their turn, what they only look on at takes its course. */
  #settle(ticket: number): void {
    setImmediate(() => {
      if (this.#line !== undefined) this.#binding.told(this.#line.index, ticket);
    });
  }

  #continue(): void {
    if (this.#again) return;
    this.#again = true;
    setImmediate(() => {
      this.#again = false;
      this.drain();
    });
  }

  #configure(): void {
    const sets = new Int32Array(8);
    for (const [number, boxes] of this.#byNumber) {
      if (boxes.size === 0) continue;
      addTo(sets, 0, number);
      if ([...boxes].every((mailbox) => mailbox.single)) addTo(sets, 6, number);
      for (const mailbox of boxes) {
        if (!mailbox.observe) addTo(sets, 2, number);
        if (mailbox.full && isRealTime(number)) addTo(sets, 4, number);
      }
    }
    const result = this.#binding.configure(this.#pickUp().index, sets);
    if (result < 0) throw errorOf(result, 'sigaction', { hint: BUSY });
  }

  #pickUp(): Line {
    if (this.#line !== undefined) return this.#line;
    const native = this.#binding;
    const index = check(native.subscribe(), 'signalfd');
    const readiness = Readiness.of(native);
    const sources = [native.signalsFd(index), native.bellFd(index)].map(
      (fd) => new FdSource(readiness, fd),
    );
    this.#line = { index, sources };
    try {
      for (const source of sources) {
        source.ref(false);
        source.readable.listen(this.#drain);
      }
    } catch (error) {
      this.#hangUp();
      throw error;
    }
    this.#ref(this.#kept > 0);
    return this.#line;
  }

  #hangUp(): void {
    const line = this.#line;
    if (line === undefined) return;
    this.#line = undefined;
    this.#calm = false;
    for (const source of line.sources) {
      source.readable.rest();
      source.dispose();
    }
    this.#binding.unsubscribe(line.index);
  }

  #ref(alive: boolean): void {
    this.#line?.sources[0]?.ref(alive);
  }
}

const BUSY = 'a native module handles this real-time signal for its own threads: take another one';

/** A sleep that a signal has interrupted is over early; the caller, who knows the deadline, goes on. */
function checkSleep(result: number): void {
  const error = errorOf(result, 'poll');
  if (error.code !== 'EINTR') throw error;
}

let here: Station | undefined;

/** The station of this thread. */
export function station(): Station {
  return (here ??= new Station());
}
