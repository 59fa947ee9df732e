import { Duplex, Readable } from 'node:stream';

import { IpcError, type Bytes, type WaitOptions } from '@octoipc/core';
import { Deadline, optionsObject, waitOptions } from '@octoipc/core/kit';
import type { LinesOptions, PipeReader, PipeWriter } from '@octoipc/pipe';

import type { ChildHandle } from './child.js';
import { endingOf, failure } from './failure.js';
import type { InputWriter } from './input.js';
import { milliseconds, type Settings } from './options.js';
import type { OutputReader } from './output.js';
import { SIGKILL, signalNumber, type SignalName } from './signals.js';
import type { ExitStatus } from './status.js';
import { until } from './until.js';

/** Which way a program is read or written: `r` its stdout, `w` its stdin, `r+` both. */
export type Mode = 'r' | 'w' | 'r+';

/** What `kill` takes. */
export interface KillOptions {
  /** SIGKILL follows after so many milliseconds, if something is left then. */
  readonly after?: number | undefined;
}

/** Our ends of a program's pipes. */
export interface Ends {
  readonly stdin: InputWriter | null;
  readonly stdout: OutputReader | null;
  readonly stderr: OutputReader | null;
}

/** Lines of stderr that an error quotes at most, in bytes. */
const TAIL = 16 * 1024;

/** Why a program was ended before its time. */
type Stop = 'timeout' | 'abort' | 'overflow';

/**
 * A program that runs, and our ends of its pipes.
 *
 * Lifetime: it runs for as long as it wants to, whether or not somebody waits, unless its deadline strikes,
 * its signal aborts, or somebody ends it; its end is taken in any case, so that no zombie is left. While it
 * runs it keeps this process alive (after `unref()` it does not). Our ends of its pipes are closed by
 * `close()`, and by whatever collects all of its output.
 */
export class Process<M extends Mode = Mode> implements AsyncIterable<Buffer> {
  /** The child by its pidfd. */
  readonly handle: ChildHandle;
  /** Resolves when it has ended, however; others may hold its stdout open after that. */
  readonly exited: Promise<ExitStatus>;
  readonly #ends: Ends;
  readonly #settings: Settings;
  readonly #label: string;
  readonly #reaped: Promise<void>;
  readonly #deadline: Deadline | undefined;
  readonly #onAbort = (): void => this.#stop('abort');
  #why: Stop | undefined;
  #collected: Promise<Buffer> | undefined;
  #closing: Promise<ExitStatus> | undefined;

  /** @internal */
  constructor(child: ChildHandle, ends: Ends, settings: Settings, label: string) {
    this.handle = child;
    this.#ends = ends;
    this.#settings = settings;
    this.#label = label;
    const { timeout, signal, check } = settings;
    const limited = timeout !== Infinity || signal !== undefined;
    let reaped!: Promise<void>;
    this.exited = new Promise((resolve, reject) => {
      reaped = child.watch(resolve, limited ? () => this.#hungUp() : undefined).catch(reject);
    });
    this.exited.catch(() => undefined);
    this.#reaped = reaped.then(() => this.#release());
    if (timeout !== Infinity) this.#deadline = new Deadline(timeout, () => this.#stop('timeout'));
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (check) ends.stderr?.relieve();
  }

  get pid(): number {
    return this.handle.pid;
  }

  /** Its stdin; null in mode `r`. */
  get stdin(): M extends 'r' ? null : PipeWriter {
    return this.#ends.stdin as M extends 'r' ? null : PipeWriter;
  }

  /** Its stdout; null in mode `w`. */
  get stdout(): M extends 'w' ? null : PipeReader {
    this.#ends.stderr?.relieve();
    return this.#ends.stdout as M extends 'w' ? null : PipeReader;
  }

  /** Its stderr if that is a pipe. */
  get stderr(): PipeReader | null {
    return this.#ends.stderr;
  }

  /** How it has ended; null while it runs. */
  get status(): ExitStatus | null {
    return this.handle.status;
  }

  /**
   * All of its stdout, once that has ended and the program too.
   *
   * @throws {IpcError} ETIMEDOUT when its `timeout` was over; `stdout` has what came by then
   * @throws {IpcError} EMSGSIZE when more than `maxBuffer` came; `stdout` has the beginning
   * @throws {IpcError} ERR_PROCESS_FAILED with `check`, when it has failed
   */
  bytes(): Promise<Buffer> {
    this.#collected ??= this.#collect();
    return this.#collected;
  }

  /** {@link bytes} as UTF-8 text. */
  async text(): Promise<string> {
    return (await this.bytes()).toString();
  }

  /** {@link bytes} as JSON. */
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  /**
   * The lines of its stdout as they come, without their line feed.
   *
   * @throws {IpcError} as {@link bytes}, at the end
   */
  async *lines(options?: LinesOptions): AsyncIterableIterator<string> {
    yield* this.#output().lines(options);
    await this.#endOfOutput();
  }

  /** Chunks of its stdout as they come. */
  async *[Symbol.asyncIterator](): AsyncIterator<Buffer, void, undefined> {
    yield* this.#output();
    await this.#endOfOutput();
  }

  /**
   * Writes to its stdin.
   *
   * @throws {IpcError} EPIPE when it does not read any more
   */
  async write(data: Bytes, options?: WaitOptions): Promise<void> {
    await this.#input().write(data, options);
  }

  /** Ends its stdin, after the last data and the writes that wait already. */
  async end(data?: Bytes): Promise<void> {
    await this.#input().end(data);
  }

  /**
   * Ends its stdin, and its stdout unless somebody reads that, and waits for the program's end: pclose(3).
   *
   * @returns how it has ended; the same each time
   * @throws {IpcError} ERR_PROCESS_FAILED with `check`, when it has failed, ETIMEDOUT when it had no time
   * @throws {IpcError} ETIMEDOUT when the wait's own timeout is over; the program goes on
   */
  async close(options?: WaitOptions): Promise<ExitStatus> {
    const wait = waitOptions(options);
    this.#closing ??= this.#finish();
    return await until(this.#closing, wait, { syscall: 'waitid', target: this.pid });
  }

  /**
   * Sends a signal to it, and to its group. The `killSignal`, which is the default, and SIGKILL end it:
   * what is left after `killAfter` is killed.
   *
   * @param signal - by name or number
   * @param options - `after`: SIGKILL follows, whatever the signal was
   * @returns false, and no signal is sent, when it has ended
   */
  kill(signal?: SignalName | number, options?: KillOptions): boolean {
    const { killSignal, killAfter } = this.#settings;
    const number = signal === undefined ? killSignal : signalNumber(signal, 'signal');
    const { after } = optionsObject<KillOptions>(options);
    const delay = milliseconds(after, 'options.after');
    const ends = delay !== undefined || number === killSignal || number === SIGKILL;
    return ends ? this.handle.end(number, delay ?? killAfter) : this.handle.send(number);
  }

  /** While it runs it keeps this process alive; that is so from the start. */
  ref(): this {
    return this.#keep(true);
  }

  /** It does not keep this process alive. */
  unref(): this {
    return this.#keep(false);
  }

  /** A Node stream over its pipes, of one direction or both, which owns them. */
  toDuplex(): Duplex {
    const { stdin, stdout } = this.#ends;
    const writable = stdin?.toWritable();
    if (stdout === null) return Duplex.from({ writable: writable! });
    this.#ends.stderr?.relieve();
    const readable = this.#settings.check
      ? Readable.from(this, { objectMode: false })
      : stdout.toReadable();
    return Duplex.from({ readable, ...(writable === undefined ? {} : { writable }) });
  }

  /** Ends the program if it still runs, and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.status === null) this.kill();
    this.#shut();
    await this.exited.catch(() => undefined);
    await this.#reaped;
  }

  #input(): InputWriter {
    if (this.#ends.stdin !== null) return this.#ends.stdin;
    throw this.#notOpen('written', "'w' or 'r+'");
  }

  #output(): OutputReader {
    this.#ends.stderr?.relieve();
    if (this.#ends.stdout !== null) return this.#ends.stdout;
    throw this.#notOpen('read', "'r' or 'r+'");
  }

  #notOpen(done: string, modes: string): IpcError {
    const hint = `it was not started to be ${done}: use mode ${modes}`;
    return new IpcError('EBADF', { syscall: 'popen', target: this.#label, hint });
  }

  async #collect(): Promise<Buffer> {
    const { maxBuffer } = this.#settings;
    const output = this.#output();
    const chunks: Buffer[] = [];
    let total = 0;
    try {
      for (let chunk = await output.read(); chunk !== null; chunk = await output.read()) {
        const room = maxBuffer - total;
        const taken = chunk.length > room ? chunk.subarray(0, room) : chunk;
        chunks.push(taken);
        total += taken.length;
        if (taken === chunk) continue;
        this.#stop('overflow');
        output.close();
        break;
      }
    } catch (error) {
      if (this.#why === undefined) throw error;
    }
    const collected = Buffer.concat(chunks, total);
    const status = await this.exited;
    const error = this.#error(status, collected);
    this.#ends.stdin?.close();
    output.close();
    if (this.#settings.stderr === undefined) this.#ends.stderr?.close();
    if (error !== undefined) throw error;
    return collected;
  }

  async #endOfOutput(): Promise<void> {
    if (this.#settings.check || this.#why !== undefined) {
      const error = this.#error(await this.exited);
      if (error !== undefined) throw error;
    }
    if (this.#collected === undefined) this.#ends.stdout?.close();
  }

  async #finish(): Promise<ExitStatus> {
    const { stdin, stdout, stderr } = this.#ends;
    stderr?.relieve();
    if (stdout?.isAwaited === false && this.#collected === undefined) stdout.close();
    await stdin?.end().catch(() => undefined);
    const status = await this.exited;
    const error = this.#error(status);
    if (this.#collected === undefined && stdout?.isAwaited === false) stdout.close();
    if (stderr?.isAwaited === false) stderr.close();
    const expected = this.#why === 'timeout' && !this.#settings.check;
    if (error !== undefined && !expected) throw error;
    return this.status ?? status;
  }

  /** What whoever waits for it is told instead of a result. */
  #error(status: ExitStatus | null, stdout?: Buffer): unknown {
    const { timeout, maxBuffer, check, signal } = this.#settings;
    if (this.#why === 'abort') return signal?.reason;
    const label = this.#label;
    const stderr = this.#ends.stderr?.tail(TAIL).toString();
    const findings = { label, status: this.status ?? status, stdout, stderr };
    if (this.#why === 'timeout') {
      return failure('ETIMEDOUT', `not done after ${timeout} ms`, findings);
    }
    if (this.#why === 'overflow') {
      return failure('EMSGSIZE', `its output is over maxBuffer (${maxBuffer} bytes)`, findings);
    }
    if (!check || status === null || status.ok) return undefined;
    return failure('ERR_PROCESS_FAILED', endingOf(status), findings);
  }

  /** Ends it; once that is done nobody waits any more for those who hold its pipes open. */
  #stop(why: Stop): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    if (why === 'timeout') this.handle.expire();
    const { killSignal, killAfter } = this.#settings;
    this.handle.end(killSignal, killAfter);
    void this.#reaped.then(() => {
      const error = this.#error(this.status);
      this.#ends.stdout?.abandon(error);
      this.#ends.stderr?.abandon(error);
    });
  }

  /** What its end is not taken before: others of its group may have its pipes, and be ended in time. */
  #hungUp(): Promise<void> | undefined {
    const { stdout, stderr } = this.#ends;
    const waits = [stdout, stderr].flatMap((output) => output?.hungUp() ?? []);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  /** Its end was taken. */
  #release(): void {
    this.#deadline?.clear();
    this.#settings.signal?.removeEventListener('abort', this.#onAbort);
  }

  #shut(): void {
    this.#ends.stdin?.close();
    this.#ends.stdout?.close();
    this.#ends.stderr?.close();
  }

  #keep(alive: boolean): this {
    const { stdin, stdout, stderr } = this.#ends;
    for (const handle of [this.handle, stdin, stdout, stderr]) {
      if (alive) handle?.ref();
      else handle?.unref();
    }
    this.#deadline?.ref(alive);
    return this;
  }
}
