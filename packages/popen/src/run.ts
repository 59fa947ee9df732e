import { Deadline, onAbort } from '@octoipc/core/kit';

import type { ChildHandle } from './child.js';
import { endingOf, failure, type ProcessFailure } from './failure.js';
import type { InputWriter } from './input.js';
import type { Settings } from './options.js';
import type { OutputReader } from './output.js';
import type { ExitStatus } from './status.js';

/** Our ends of a program's pipes. */
export interface Ends {
  readonly stdin: InputWriter | null;
  readonly stdout: OutputReader | null;
  readonly stderr: OutputReader | null;
}

/** Why a program was ended before its time. */
export type Stop = 'timeout' | 'abort' | 'overflow';

/** How much of the end of stderr an error has, in bytes. */
const TAIL = 16 * 1024;

/**
 * A program from its start to its end: its deadline, its signal, and what those are told who wait for it.
 *
 * Lifetime: until the child's end was taken. If the program can be ended by its deadline or signal its end is
 * not taken while others hold its pipes open, so that its group can still be reached by its number.
 */
export class Run {
  readonly child: ChildHandle;
  readonly ends: Ends;
  readonly settings: Settings;
  readonly label: string;
  readonly exited: Promise<ExitStatus>;
  /** Resolves when the child's end was taken, or is somebody else's affair. */
  readonly reaped: Promise<void>;
  readonly #deadline: Deadline | undefined;
  #why: Stop | undefined;
  /** Why it could not be ended. */
  #refusal: unknown;

  constructor(child: ChildHandle, ends: Ends, settings: Settings, label: string) {
    this.child = child;
    this.ends = ends;
    this.settings = settings;
    this.label = label;
    const { timeout, signal, check } = settings;
    const isLimited = timeout !== Infinity || signal !== undefined;
    const { exited, ended } = follow(child, isLimited ? () => this.#hungUp() : undefined);
    this.exited = exited;
    this.#deadline =
      timeout === Infinity ? undefined : new Deadline(timeout, () => this.stop('timeout'));
    const forget = signal && onAbort(signal, () => this.stop('abort'));
    this.reaped = release(ended, this.#deadline, forget);
    if (check) ends.stderr?.relieve();
  }

  /** Why it was ended, if it was. */
  get why(): Stop | undefined {
    return this.#why;
  }

  /** Ends it; once that is done nobody waits any more for those who hold its pipes open. */
  stop(why: Stop): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    if (why === 'timeout') this.child.expire();
    const { killSignal, killAfter } = this.settings;
    // One that has become another user's, as those of sudo do.
    const refused = (cause: unknown): void => {
      this.#refusal = cause;
      this.child.giveUp(this.error());
    };
    try {
      this.child.end(killSignal, killAfter, refused);
    } catch (cause) {
      refused(cause);
    }
    void this.reaped.then(() => {
      const error = this.error();
      this.ends.stdout?.abandon(error);
      this.ends.stderr?.abandon(error);
    });
  }

  /** What whoever waits for it is told instead of a result; undefined if all is well. */
  error(stdout?: Buffer): unknown {
    const { timeout, maxBuffer, check, signal } = this.settings;
    switch (this.#why) {
      case 'abort':
        return signal?.reason;
      case 'timeout':
        return this.#failure('ETIMEDOUT', `not done after ${timeout} ms`, stdout);
      case 'overflow': {
        const text = `its output is over maxBuffer (${maxBuffer} bytes)`;
        return this.#failure('EMSGSIZE', text, stdout);
      }
      case undefined:
        return check && this.child.status?.ok === false ? this.explain(stdout) : undefined;
    }
  }

  /** The error of a program that has failed, whether or not anybody checks. */
  explain(stdout?: Buffer): ProcessFailure {
    return this.#failure('ERR_PROCESS_FAILED', endingOf(this.child.status!), stdout);
  }

  /** Whether it keeps this process alive. */
  keep(alive: boolean): void {
    for (const handle of [this.child, this.ends.stdin, this.ends.stdout, this.ends.stderr]) {
      if (alive) handle?.ref();
      else handle?.unref();
    }
    this.#deadline?.ref(alive);
  }

  #failure(code: Parameters<typeof failure>[0], text: string, stdout?: Buffer): ProcessFailure {
    const stderr = this.ends.stderr?.tail(TAIL).toString();
    const cause = this.#refusal;
    const { status } = this.child;
    return failure(code, text, { label: this.label, status, stdout, stderr, cause });
  }

  /** What its end is not taken before; undefined if nobody holds its pipes. */
  #hungUp(): Promise<void> | undefined {
    const { stdout, stderr } = this.ends;
    const waits = [stdout, stderr].flatMap((output) => output?.hungUp() ?? []);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }
}

// What waits for the child's end is made out here, where it knows nothing of `this`: a program that runs
// does not keep pipes open that nobody refers to any more.

function follow(
  child: ChildHandle,
  linger: (() => Promise<void> | undefined) | undefined,
): { exited: Promise<ExitStatus>; ended: Promise<void> } {
  let ended!: Promise<void>;
  const exited = new Promise<ExitStatus>((resolve, reject) => {
    ended = child.watch(resolve, linger).catch((error: unknown) => {
      // Nobody can wait here: its end is taken in the background.
      child.close();
      reject(error);
    });
  });
  exited.catch(() => undefined);
  return { exited, ended };
}

function release(
  ended: Promise<void>,
  deadline: Deadline | undefined,
  forget: (() => void) | undefined,
): Promise<void> {
  return ended.then(() => {
    deadline?.clear();
    forget?.();
  });
}
