import type Stream from 'node:stream';
import type { Duplex, Readable } from 'node:stream';

import type { Bytes, WaitOptions } from '@octoipc/core';
import {
  following,
  oneOf,
  optionalBoolean,
  optionsObject,
  typeError,
  valueError,
  waitOptions,
} from '@octoipc/core/kit';
import type { LinesOptions, PipeReader, PipeWriter } from '@octoipc/pipe';

import { checkedReadable } from './checked-readable.js';
import { programOf, type Command } from './command.js';
import { lazily } from './lazily.js';
import { settingsOf, type PopenOptions, type Settings } from './options.js';
import { parse } from './parse.js';
import type { KillOptions, Mode, Process } from './process.js';
import type { SignalName } from './signals.js';
import { startStages } from './stages.js';
import { MODES } from './start.js';
import type { ExitStatus } from './status.js';
import { until } from './until.js';

/** What `pipeline` takes: the options hold for every stage. */
export interface PipelineOptions extends PopenOptions {
  /**
   * A stage whose reader has left before it was done, and which SIGPIPE has ended therefore, has not failed.
   *
   * @default false
   */
  readonly allowSigpipe?: boolean | undefined;
}

/** How a pipeline has ended. */
export interface PipelineStatus {
  /** Every stage has exited with 0, and in time: pipefail. */
  readonly ok: boolean;
  readonly timedOut: boolean;
  /** How each stage has ended. */
  readonly statuses: readonly ExitStatus[];
}

/** What a shell reports of a child that SIGPIPE has ended. */
const SHELL_SIGPIPE = 128 + 13;

/**
 * Programs that run, the stdout of each being the stdin of the next, and our ends of the first and last.
 *
 * Lifetime: as that of a `Process`, for each of them.
 */
export class Pipeline<M extends Mode = Mode> implements AsyncIterable<Buffer> {
  /** The stages, in order. */
  readonly processes: readonly Process[];
  /** Resolves when all have ended, however. */
  readonly exited: Promise<PipelineStatus>;
  readonly #check: boolean;
  readonly #allowSigpipe: boolean;
  /** Whether its output may end too early, or well and be worth nothing. */
  readonly #judged: boolean;
  #collected: Promise<Buffer> | undefined;
  #closing: Promise<PipelineStatus> | undefined;

  /** @internal */
  constructor(processes: readonly Process[], settings: Settings, allowSigpipe: boolean) {
    this.processes = processes;
    this.#check = settings.check;
    this.#allowSigpipe = allowSigpipe;
    this.#judged = settings.check || settings.timeout !== Infinity || settings.signal !== undefined;
    this.exited = Promise.all(processes.map(({ exited }) => exited)).then(() => this.#status());
    this.exited.catch(() => undefined);
  }

  /** The first one's stdin; null in mode `r`. */
  get stdin(): M extends 'r' ? null : PipeWriter {
    return this.#first.stdin as M extends 'r' ? null : PipeWriter;
  }

  /** The last one's stdout; null in mode `w`. */
  get stdout(): M extends 'w' ? null : PipeReader {
    return this.#last.stdout as M extends 'w' ? null : PipeReader;
  }

  /** How each stage has ended; null for one that runs. */
  get statuses(): readonly (ExitStatus | null)[] {
    return this.processes.map(({ status }) => status);
  }

  /** Whether every stage has ended well; false while one runs. */
  get ok(): boolean {
    return this.processes.every((stage) => this.#isWell(stage));
  }

  /**
   * All of the last one's stdout, once all have ended.
   *
   * @throws {IpcError} as `Process.bytes` does; with `check` when any stage has failed
   */
  bytes(): Promise<Buffer> {
    this.#collected ??= this.#collect();
    return this.#collected;
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
    return parse(await this.text(), this.#last.pid);
  }

  /** The lines of the last one's stdout as they come. */
  lines(options?: LinesOptions): AsyncIterableIterator<string> {
    return this.#toEnd(() => this.#last.lines(options));
  }

  /** Chunks of the last one's stdout as they come. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return this.#toEnd(() => this.#last[Symbol.asyncIterator]());
  }

  /** Writes to the first one's stdin. */
  write(data: Bytes, options?: WaitOptions): Promise<void> {
    return this.#first.write(data, options);
  }

  /** Ends the first one's stdin. */
  end(data?: Bytes): Promise<void> {
    return this.#first.end(data);
  }

  /**
   * Ends the first one's stdin, and the last one's stdout unless somebody reads that, and waits for the end of
   * all.
   *
   * @throws {IpcError} as `Process.close` does
   */
  async close(options?: WaitOptions): Promise<PipelineStatus> {
    const wait = waitOptions(options);
    this.#closing ??= this.#finish();
    return await until(this.#closing, wait, { syscall: 'waitid', target: this.#last.pid });
  }

  /**
   * Sends a signal to every stage, as `Process.kill` does; false when all have ended.
   *
   * @throws {IpcError} EPERM when one may not be signalled; the others are all the same
   */
  kill(signal?: SignalName | number, options?: KillOptions): boolean {
    const refusals: unknown[] = [];
    const sent = this.processes.map((stage) => {
      try {
        return stage.kill(signal, options);
      } catch (error) {
        refusals.push(error);
        return false;
      }
    });
    if (refusals.length > 0) throw refusals[0];
    return sent.includes(true);
  }

  /** While it runs it keeps this process alive; that is so from the start. */
  ref(): this {
    for (const stage of this.processes) stage.ref();
    return this;
  }

  /** It does not keep this process alive. */
  unref(): this {
    for (const stage of this.processes) stage.unref();
    return this;
  }

  /** A Node stream into the first one and out of the last one, which owns these pipes. */
  toDuplex(): Duplex {
    const { Duplex: NodeDuplex } = require('node:stream') as typeof Stream;
    const { stdin } = this.#first;
    const { stdout } = this.#last;
    return NodeDuplex.from({
      ...(stdin === null ? {} : { writable: stdin.toWritable() }),
      ...(stdout === null ? {} : { readable: this.#readable(stdout) }),
    });
  }

  /** Ends what still runs, and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.processes.map((stage) => stage[Symbol.asyncDispose]()));
  }

  #readable(stdout: PipeReader): Readable {
    return this.#judged
      ? checkedReadable(this, stdout, () => void this.#end())
      : stdout.toReadable();
  }

  get #first(): Process {
    return this.processes[0]!;
  }

  get #last(): Process {
    return this.processes.at(-1)!;
  }

  #isWell(stage: Process): boolean {
    const { status } = stage;
    if (status === null || status.ok || !this.#allowSigpipe || stage === this.#last) {
      return status?.ok === true;
    }
    return !status.timedOut && (status.signal === 'SIGPIPE' || status.code === SHELL_SIGPIPE);
  }

  #status(): PipelineStatus {
    const statuses = this.processes.map(({ status }) => status!);
    return Object.freeze({
      ok: this.ok,
      timedOut: statuses.some(({ timedOut }) => timedOut),
      statuses: Object.freeze(statuses),
    });
  }

  #verify(status: PipelineStatus, stdout?: Buffer): void {
    if (!this.#check || status.ok) return;
    const failed = this.processes.findLast((stage) => !this.#isWell(stage))!;
    throw failed.explain(stdout);
  }

  /** Where a stage was ended before its time, what the others made of it is not the whole. */
  #checkWhole(stdout?: Buffer): void {
    const stage = this.processes.findLast(({ stopped }) => stopped !== undefined);
    if (stage !== undefined) throw stage.errorOfStop(stdout);
  }

  /** Output of the last one as it comes, and at its end what there is to say of all. */
  #toEnd<T>(said: () => AsyncIterator<T>): AsyncIterableIterator<T> {
    return following<T, T>(lazily(said), {
      value: (one) => one,
      ended: () => this.#judge(),
      failed: async () => {
        if (this.#isStopped) await this.#end();
      },
    });
  }

  async #judge(): Promise<void> {
    if (!this.#check && !this.#isStopped) return;
    try {
      const status = await this.exited;
      this.#checkWhole();
      this.#verify(status);
    } finally {
      await this.#end();
    }
  }

  get #isStopped(): boolean {
    return this.processes.some(({ stopped }) => stopped !== undefined);
  }

  /** Whatever came of the last one, the others are not left behind. */
  async #end(): Promise<void> {
    await this.exited.catch(() => undefined);
    for (const stage of this.processes) stage.letGo();
  }

  async #collect(): Promise<Buffer> {
    try {
      const collected = await this.#last.bytes();
      const status = await this.exited;
      this.#checkWhole(collected);
      this.#verify(status, collected);
      return collected;
    } catch (error) {
      // Nobody wants any more of what the others would say to the last one.
      if (this.#last.stopped === 'overflow')
        for (const stage of this.processes) stage.stopFor('overflow');
      throw error;
    } finally {
      await this.#end();
    }
  }

  async #finish(): Promise<PipelineStatus> {
    await Promise.all(this.processes.map((stage) => stage.close()));
    const status = this.#status();
    this.#verify(status);
    return status;
  }
}

/**
 * Starts programs, the stdout of each being the stdin of the next. They are joined by kernel pipes: no byte
 * between them passes through this process.
 *
 * @param commands - at least one, each as `popen` has it
 * @param mode - `r` reads the last one's stdout, `w` writes the first one's stdin, `r+` both
 * @param options - hold for every stage; `check` is for all of them (pipefail)
 * @returns the programs, all of which run
 * @throws {IpcError} what the start of one failed with, as `popen` does; none of them runs then
 * @example
 * ```js
 * import { pipeline } from '@octoipc/popen';
 *
 * const count = pipeline([['printf', 'b\na\nb\n'], ['sort', '-u'], 'wc -l']);
 * Number(await count.text()); //=> 2
 * count.ok; //=> true
 * ```
 * @see pipe(7)
 */
export function pipeline<const M extends Mode = 'r'>(
  commands: readonly Command[],
  mode?: M,
  options?: PipelineOptions,
): Pipeline<M> {
  if (!Array.isArray(commands)) throw typeError('commands', 'an array of commands', commands);
  if (commands.length === 0) throw valueError('commands', 'must not be empty', commands);
  const programs = commands.map((command: Command, i) => programOf(command, `commands[${i}]`));
  const chosen: Mode = mode === undefined ? 'r' : oneOf(mode, 'mode', MODES);
  const { allowSigpipe } = optionsObject<PipelineOptions>(options);
  const tolerant = optionalBoolean(allowSigpipe, 'options.allowSigpipe') ?? false;
  const settings = settingsOf(options);
  return new Pipeline<M>(startStages(programs, chosen, settings), settings, tolerant);
}
