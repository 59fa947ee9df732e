import type Stream from 'node:stream';
import type { Duplex, Readable } from 'node:stream';

import type { Bytes, WaitOptions } from '@octoipc/core';
import { following, waitOptions } from '@octoipc/core/kit';
import type { LinesOptions, PipeReader, PipeWriter } from '@octoipc/pipe';

import { checkedReadable } from './checked-readable.js';
import { lazily } from './lazily.js';
import type { Mode } from './mode.js';
import type { Settings } from './options.js';
import { parse } from './parse.js';
import type { KillOptions, Process } from './process.js';
import type { SignalName } from './signals.js';
import type { ExitStatus } from './status.js';
import { until } from './until.js';
import { Verdict, type PipelineStatus } from './verdict.js';

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
  readonly #verdict: Verdict;
  /** Whether its output may end too early, or well and be worth nothing. */
  readonly #judged: boolean;
  #collected: Promise<Buffer> | undefined;
  #closing: Promise<PipelineStatus> | undefined;

  /** @internal */
  constructor(processes: readonly Process[], settings: Settings, allowSigpipe: boolean) {
    this.processes = processes;
    this.#verdict = new Verdict(processes, settings.check, allowSigpipe);
    this.#judged = settings.check || settings.timeout !== Infinity || settings.signal !== undefined;
    this.exited = Promise.all(processes.map(({ exited }) => exited)).then(() =>
      this.#verdict.status(),
    );
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
    return this.#verdict.ok;
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

  /** Output of the last one as it comes, and at its end what there is to say of all. */
  #toEnd<T>(said: () => AsyncIterator<T>): AsyncIterableIterator<T> {
    return following<T, T>(lazily(said), {
      value: (one) => one,
      ended: () => this.#judge(),
      failed: async () => {
        if (this.#verdict.isStopped) await this.#end();
      },
    });
  }

  async #judge(): Promise<void> {
    if (!this.#verdict.isOpen) return;
    try {
      const status = await this.exited;
      this.#verdict.checkWhole();
      this.#verdict.verify(status);
    } finally {
      await this.#end();
    }
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
      this.#verdict.checkWhole(collected);
      this.#verdict.verify(status, collected);
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
    const status = this.#verdict.status();
    this.#verdict.verify(status);
    return status;
  }
}
