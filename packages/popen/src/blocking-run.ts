import { isIpcError, POLLIN, POLLOUT } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { DYING, type ChildHandle } from './child.js';
import { Collected } from './collected.js';
import { membersOf, type Member } from './group.js';
import type { InputWriter } from './input.js';
import type { Settings } from './options.js';
import type { Ends } from './run.js';
import { SIGCONT, SIGKILL } from './signals.js';

/** The longest sleep before JavaScript gets a chance to be terminated. */
const SLICE = 100;

/**
 * A program that this thread runs to its end.
 *
 * Lifetime: disposing of it closes our ends, and lets the child go on alone if it still runs.
 */
export class BlockingRun {
  readonly stdout: Collected;
  readonly stderr: Collected;
  readonly #child: ChildHandle;
  readonly #stdin: InputWriter | null;
  readonly #ends: Ends;
  readonly #settings: Settings;
  readonly #strikes: number;
  #input: Uint8Array;
  /** When SIGKILL follows; undefined while nothing is to be ended. */
  #force: number | undefined;
  #members: Member[] | undefined;

  constructor(child: ChildHandle, ends: Ends, settings: Settings, input?: Uint8Array) {
    this.#child = child;
    this.#ends = ends;
    this.#stdin = ends.stdin;
    this.#settings = settings;
    this.#input = input ?? new Uint8Array(0);
    this.#strikes = performance.now() + settings.timeout;
    this.stdout = new Collected(ends.stdout, settings.maxBuffer);
    this.stderr = new Collected(ends.stderr, settings.maxBuffer);
  }

  [Symbol.dispose](): void {
    for (const end of [this.#ends.stdin, this.#ends.stdout, this.#ends.stderr]) end?.close();
    for (const member of this.#members ?? []) member.close();
    this.#child.close();
  }

  /** Until it has ended, or may not be ended. */
  toEnd(): { overflow: boolean; refusal?: unknown } {
    for (;;) {
      this.#pump();
      const overflow = this.stdout.overflow || this.stderr.overflow;
      if (this.#force === undefined && (overflow || performance.now() >= this.#strikes)) {
        if (!overflow) this.#child.expire();
        const refusal = this.#end();
        if (refusal !== undefined) return { overflow, refusal };
      }
      if (this.#child.take(true) !== null && this.#isOver()) {
        this.#child.take(false);
        return { overflow };
      }
      if (this.#force !== undefined && performance.now() >= this.#force) {
        this.#child.destroy();
        this.#force = performance.now() + DYING;
      }
      this.#sleep();
    }
  }

  /** Whether there is nothing left to wait for, the child having ended. */
  #isOver(): boolean {
    if (this.#force === undefined) {
      return this.stdout.fd === undefined && this.stderr.fd === undefined;
    }
    if (!this.#settings.group) return true;
    this.#members ??= membersOf(this.#child.pid) ?? [];
    const living = (): number[] =>
      this.#members!.map(({ fd }) => fd).filter((fd) => binding().poll(fd, POLLIN, 0) === 0);
    if (living().length > 0 && performance.now() < this.#force) return false;
    this.#child.destroy();
    const patience = performance.now() + DYING;
    for (let left = living(); left.length > 0 && performance.now() < patience; left = living()) {
      poll(
        left.map((fd) => [fd, POLLIN]),
        DYING,
      );
    }
    this.#pump();
    return true;
  }

  /** Why it may not be signalled, if so. */
  #end(): unknown {
    const { killSignal, killAfter } = this.#settings;
    try {
      this.#child.send(killSignal);
      if (killSignal !== SIGKILL) this.#child.send(SIGCONT);
    } catch (error) {
      return error;
    }
    this.#force = performance.now() + killAfter;
    return undefined;
  }

  #pump(): void {
    const stdin = this.#stdin;
    if (stdin !== null && !stdin.closed) {
      try {
        this.#input = this.#input.subarray(stdin.tryWrite(this.#input));
        if (this.#input.length === 0) stdin.close();
      } catch (error) {
        // It does not want to read all of it, which is its own affair.
        if (!isIpcError(error, 'EPIPE')) throw error;
        stdin.close();
      }
    }
    this.stdout.pump();
    this.stderr.pump();
  }

  #sleep(): void {
    const waits: [fd: number, events: number][] = [];
    if (this.#stdin?.closed === false) waits.push([this.#stdin.fd, POLLOUT]);
    for (const { fd } of [this.stdout, this.stderr]) if (fd !== undefined) waits.push([fd, POLLIN]);
    const ended = this.#child.status !== null;
    if (!ended) waits.push([this.#child.fd, POLLIN]);
    // One that has ended would not let us sleep: the next look at them is when the time is over.
    const living = this.#members?.filter(({ fd }) => binding().poll(fd, POLLIN, 0) === 0) ?? [];
    for (const { fd } of living) waits.push([fd, POLLIN]);
    const until = this.#force ?? this.#strikes;
    const left = Math.max(0, until - performance.now());
    poll(waits, Math.min(Math.ceil(left), SLICE));
  }
}

function poll(waits: readonly (readonly [fd: number, events: number])[], most: number): void {
  const triples = Int32Array.from(waits.flatMap(([fd, events]) => [fd, events, 0]));
  binding().pollAll(triples, most);
}
