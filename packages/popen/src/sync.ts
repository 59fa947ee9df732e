import type { Bytes } from '@octoipc/core';
import { bytes, isIpcError, optionsObject, POLLIN, POLLOUT } from '@octoipc/core/kit';

import { binding } from './binding.js';
import { DYING, type ChildHandle } from './child.js';
import { programOf, type Command } from './command.js';
import { endingOf, failure } from './failure.js';
import { membersOf, type Member } from './group.js';
import type { InputWriter } from './input.js';
import { settingsOf, type PopenOptions, type Settings } from './options.js';
import type { OutputReader } from './output.js';
import type { Ends } from './run.js';
import { SIGCONT, SIGKILL } from './signals.js';
import { startWith } from './start.js';
import type { ExitStatus } from './status.js';

/** What `popenSync` takes. */
export interface PopenSyncOptions extends Omit<PopenOptions, 'signal' | 'stderr'> {
  /** What it reads from its stdin. @default nothing: its stdin is at its end */
  readonly input?: Bytes | undefined;
  /** @default 'pipe' */
  readonly stderr?: PopenOptions['stderr'];
}

/** What a program has said, and how it has ended. */
export interface PopenSyncResult {
  readonly stdout: Buffer;
  /** Empty where its stderr is no pipe. */
  readonly stderr: Buffer;
  readonly status: ExitStatus;
}

/** The longest sleep before JavaScript gets a chance to be terminated. */
const SLICE = 100;

/** Reads of one pipe in a row, before the others have their turn. */
const BURST = 16;

/**
 * Runs a program to its end; blocks this thread meanwhile.
 *
 * @param command - as `popen` has it
 * @param options - as `popen` has them, and `input`
 * @returns its output and status; when its `timeout` was over `status.timedOut` is true, and the output is
 *   what came by then
 * @throws {IpcError} ENOENT, EACCES, … when it cannot be started, as `popen` does
 * @throws {IpcError} EMSGSIZE when an output is over `maxBuffer`
 * @throws {IpcError} ERR_PROCESS_FAILED with `check`, when it has failed; ETIMEDOUT when it had no time
 * @example
 * ```js
 * import { popenSync } from '@octoipc/popen';
 *
 * const { stdout, status } = popenSync(['tr', 'a-z', 'A-Z'], { input: 'hello' });
 * String(stdout); //=> 'HELLO'
 * status.code; //=> 0
 * ```
 */
export function popenSync(command: Command, options?: PopenSyncOptions): PopenSyncResult {
  const program = programOf(command);
  const { input } = optionsObject<PopenSyncOptions>(options);
  const data = input === undefined ? undefined : bytes(input, 'options.input');
  const settings = settingsOf(options);
  const redirected = settings.fds.some(([target]) => target === 2);
  const { child, ends } = startWith(program, settings, {
    stdin: data === undefined ? 'ignore' : 'pipe',
    stdout: 'pipe',
    stderr: settings.stderr ?? (redirected ? 'inherit' : 'pipe'),
  });
  using run = new BlockingRun(child, ends, settings, data);
  const { overflow, refusal: cause } = run.toEnd();
  const [stdout, stderr] = [run.stdout.whole, run.stderr.whole];
  const { label } = program;
  const findings = { label, status: child.status, stdout, stderr: stderr.toString(), cause };
  if (overflow) {
    const text = `its output is over maxBuffer (${settings.maxBuffer} bytes)`;
    throw failure('EMSGSIZE', text, findings);
  }
  const status = child.status;
  if (status === null || (settings.check && status.timedOut)) {
    throw failure('ETIMEDOUT', `not done after ${settings.timeout} ms`, findings);
  }
  if (settings.check && !status.ok) {
    throw failure('ERR_PROCESS_FAILED', endingOf(status), findings);
  }
  return { stdout, stderr, status };
}

/** One output that is collected. */
class Collected {
  readonly #reader: OutputReader | null;
  readonly #chunks: Buffer[] = [];
  #room: number;
  overflow = false;

  constructor(reader: OutputReader | null, room: number) {
    this.#reader = reader;
    this.#room = room;
  }

  /** Its descriptor; undefined once it has ended. */
  get fd(): number | undefined {
    return this.#reader === null || this.#reader.closed ? undefined : this.#reader.fd;
  }

  get whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Reads what is there. */
  pump(): void {
    for (let i = 0; i < BURST && this.fd !== undefined; i++) {
      const chunk = this.#reader!.tryRead();
      if (chunk === undefined) return;
      if (chunk !== null) this.#chunks.push(chunk.subarray(0, this.#room));
      this.overflow ||= chunk !== null && chunk.length > this.#room;
      this.#room -= chunk?.length ?? 0;
      if (chunk === null || this.overflow) this.#reader!.close();
    }
  }
}

/**
 * A program that this thread runs to its end.
 *
 * Lifetime: disposing of it closes our ends, and lets the child go on alone if it still runs.
 */
class BlockingRun {
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
