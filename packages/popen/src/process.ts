import type Stream from 'node:stream';
import type { Duplex } from 'node:stream';

import type { Bytes, WaitOptions } from '@octoipc/core';
import { optionsObject, waitOptions } from '@octoipc/core/kit';
import type { LinesOptions, PipeReader, PipeWriter } from '@octoipc/pipe';

import type { ChildHandle } from './child.js';
import { checkedReadable } from './checked-readable.js';
import { Conversation } from './conversation.js';
import type { ProcessFailure } from './failure.js';
import type { Mode } from './mode.js';
import { milliseconds } from './options.js';
import { parse } from './parse.js';
import type { Run, Stop } from './run.js';
import { SIGKILL, signalNumber, type SignalName } from './signals.js';
import type { ExitStatus } from './status.js';
import { until } from './until.js';

/** What `kill` takes. */
export interface KillOptions {
  /** SIGKILL follows after so many milliseconds, if something is left then. */
  readonly after?: number | undefined;
}

/**
 * A program that runs, and our ends of its pipes.
 *
 * Lifetime: it runs for as long as it wants to, whether or not somebody waits, unless its deadline strikes,
 * its signal aborts, or somebody ends it; its end is taken in any case, so that no zombie is left. While it
 * runs it keeps this process alive (after `unref()` it does not). Our ends of its pipes are closed by
 * `close()`, and by whatever collects all of its output.
 */
export class Process<M extends Mode = Mode> implements AsyncIterable<Buffer> {
  readonly #run: Run;
  readonly #conversation: Conversation;

  /** @internal */
  constructor(run: Run) {
    this.#run = run;
    this.#conversation = new Conversation(run);
  }

  /** The child by its pidfd. */
  get handle(): ChildHandle {
    return this.#run.child;
  }

  /** Resolves when it has ended, however; others may hold its stdout open after that. */
  get exited(): Promise<ExitStatus> {
    return this.#conversation.exited;
  }

  get pid(): number {
    return this.handle.pid;
  }

  /** Its stdin; null in mode `r`. */
  get stdin(): M extends 'r' ? null : PipeWriter {
    return this.#run.ends.stdin as M extends 'r' ? null : PipeWriter;
  }

  /** Its stdout; null in mode `w`. */
  get stdout(): M extends 'w' ? null : PipeReader {
    this.#run.ends.stderr?.relieve();
    return this.#run.ends.stdout as M extends 'w' ? null : PipeReader;
  }

  /** Its stderr if that is a pipe. */
  get stderr(): PipeReader | null {
    return this.#run.ends.stderr;
  }

  /** How it has ended; null while it runs. */
  get status(): ExitStatus | null {
    return this.handle.status;
  }

  /**
   * All of its stdout, once that has ended and the program too.
   *
   * @throws {IpcError} ETIMEDOUT when its `timeout` was over; `stdout` has what came by then; its cause is
   *   EPERM if the program goes on, since it may not be signalled
   * @throws {IpcError} EMSGSIZE when more than `maxBuffer` came; `stdout` has the beginning
   * @throws {IpcError} ERR_PROCESS_FAILED with `check`, when it has failed
   */
  bytes(): Promise<Buffer> {
    return this.#conversation.bytes();
  }

  /** {@link bytes} as UTF-8 text. */
  async text(): Promise<string> {
    return (await this.bytes()).toString();
  }

  /**
   * {@link bytes} as JSON.
   *
   * @throws {IpcError} EBADMSG when it is none
   */
  async json(): Promise<unknown> {
    return parse(await this.text(), this.#run.label);
  }

  /**
   * The lines of its stdout as they come, without their line feed.
   *
   * @throws {IpcError} as {@link bytes}, at the end
   */
  lines(options?: LinesOptions): AsyncIterableIterator<string> {
    const conversation = this.#conversation;
    return conversation.toEnd(() => conversation.output().lines(options));
  }

  /** Chunks of its stdout as they come. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    const conversation = this.#conversation;
    return conversation.toEnd(() => conversation.output()[Symbol.asyncIterator]());
  }

  /**
   * Writes to its stdin.
   *
   * @throws {IpcError} EPIPE when it does not read any more
   */
  async write(data: Bytes, options?: WaitOptions): Promise<void> {
    await this.#conversation.input().write(data, options);
  }

  /** Ends its stdin, after the last data and the writes that wait already. */
  async end(data?: Bytes): Promise<void> {
    await this.#conversation.input().finish(data);
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
    return await until(this.#conversation.close(), wait, { syscall: 'waitid', target: this.pid });
  }

  /**
   * Sends a signal to it, and to its group. The `killSignal`, which is the default, and SIGKILL end it:
   * what is left after `killAfter` is killed.
   *
   * @param signal - by name or number
   * @param options - `after`: SIGKILL follows, whatever the signal was
   * @returns false, and no signal is sent, when it has ended
   * @throws {IpcError} EPERM when it may not be signalled, as what sudo runs
   */
  kill(signal?: SignalName | number, options?: KillOptions): boolean {
    const { killSignal, killAfter } = this.#run.settings;
    const number = signal === undefined ? killSignal : signalNumber(signal, 'signal');
    const { after } = optionsObject<KillOptions>(options);
    const delay = milliseconds(after, 'options.after');
    const ends = delay !== undefined || number === killSignal || number === SIGKILL;
    return ends ? this.handle.end(number, delay ?? killAfter) : this.handle.send(number);
  }

  /** While it runs it keeps this process alive; that is so from the start. */
  ref(): this {
    this.#run.keep(true);
    return this;
  }

  /** It does not keep this process alive. */
  unref(): this {
    this.#run.keep(false);
    return this;
  }

  /** A Node stream over its pipes, of one direction or both, which owns them. */
  toDuplex(): Duplex {
    const { Duplex: NodeDuplex } = require('node:stream') as typeof Stream;
    const { stdin, stdout } = this.#run.ends;
    const writable = stdin?.toWritable();
    if (stdout === null) return NodeDuplex.from({ writable: writable! });
    this.#run.ends.stderr?.relieve();
    const readable = this.#run.settings.check
      ? checkedReadable(this, stdout, () => void this.#conversation.letGoInTheEnd())
      : stdout.toReadable();
    return NodeDuplex.from({ readable, ...(writable === undefined ? {} : { writable }) });
  }

  /**
   * Ends the program if it still runs, and waits for that.
   *
   * @throws {IpcError} EPERM when it may not be signalled; it goes on alone
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const { stdin, stdout, stderr } = this.#run.ends;
    try {
      if (this.status === null) this.kill();
    } catch (error) {
      this.handle.giveUp(error);
      throw error;
    } finally {
      for (const end of [stdin, stdout, stderr]) end?.close();
    }
    await this.exited.catch(() => undefined);
    await this.#run.reaped;
  }

  /** @internal */
  explain(stdout?: Buffer): ProcessFailure {
    return this.#run.explain(stdout);
  }

  /** @internal Why it was ended before its time, if it was. */
  get stopped(): Stop | undefined {
    return this.#run.why;
  }

  /** @internal Ends it before its time. */
  stopFor(why: Stop): void {
    if (this.status === null) this.#run.stop(why);
  }

  /** @internal What whoever waits for it is told, who is not told of failures. */
  errorOfStop(stdout?: Buffer): unknown {
    return this.#run.error(stdout);
  }

  /** @internal Closes what nobody has any more use for once the output was collected. */
  letGo(): void {
    this.#conversation.letGo();
  }
}
