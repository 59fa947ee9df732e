import type { ReadTarget } from '@octoipc/core';
import {
  BLOCKED,
  integer,
  IpcError,
  POLLHUP,
  valueError,
  waitOptions,
  writableBytes,
} from '@octoipc/core/kit';
import { PipeReader, type ReadOptions, type ReadSyncOptions } from '@octoipc/pipe';

import { PipeWatch } from './pipe-watch.js';

/** The most that is read ahead of somebody who may never read. */
const AHEAD = 1024 * 1024;

/**
 * The program's stdout or stderr.
 *
 * Lifetime: while nobody reads it, and others of its process are waited for, it is read ahead, so that the
 * program does not block: up to 1 MiB, of which a reader who comes late misses nothing. Beyond, the
 * oldest is dropped, and his first read says so by `ERR_TRUNCATED`. Whoever uses the descriptor itself
 * (`fd`, `release`, splice) does so before anything else of the process is used.
 */
export class OutputReader extends PipeReader {
  readonly #ahead: Buffer[] = [];
  #aheadLength = 0;
  #lost = 0;
  /** Whether a read must look at more than the pipe. */
  #special = false;
  #touched = false;
  #given: { readonly error: unknown } | undefined;
  #relief: PipeWatch | undefined;
  #hangUp: PipeWatch | undefined;

  /** Takes over the read end of a new pipe. */
  static of(fd: number): OutputReader {
    return new OutputReader(fd, { ours: true });
  }

  override read(options?: ReadOptions): Promise<Buffer | null> {
    if (!this.#special || this.closed) {
      this.#touched = true;
      return super.read(options);
    }
    try {
      const { signal } = waitOptions(options);
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      const chunk = this.#next(options);
      if (chunk !== undefined) return Promise.resolve(chunk);
      if (this.#given === undefined) return super.read(options);
      const last = super.tryRead(options);
      return last === undefined
        ? Promise.reject(this.#given.error as Error)
        : Promise.resolve(last);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  override tryRead(options?: ReadTarget): Buffer | null | undefined {
    return this.#next(options) ?? super.tryRead(options);
  }

  override readSync(options?: ReadSyncOptions): Buffer | null {
    return this.#next(options) ?? super.readSync(options);
  }

  override get available(): number {
    return super.available + this.#aheadLength;
  }

  override get isReadable(): boolean {
    return this.#aheadLength > 0 || super.isReadable;
  }

  override get ended(): boolean {
    return this.#aheadLength === 0 && super.ended;
  }

  /** What was read ahead, only a read can take: splice and tee see to that. */
  get hasReturned(): boolean {
    return this.#aheadLength > 0 || this.#wasGivenBack;
  }

  override release(): number {
    this.#touch();
    const fd = super.release();
    this.#letGo();
    return fd;
  }

  override close(): void {
    if (this.closed) return;
    this.#letGo();
    super.close();
  }

  /** Whether somebody waits for it now. */
  get isAwaited(): boolean {
    return !this.closed && this.waiting('readable') > 0;
  }

  /** Reads ahead from now on, until somebody else reads. */
  relieve(): void {
    if (this.#touched || this.closed || this.#relief !== undefined) return;
    this.#relief = PipeWatch.of(this.fd);
    if (this.#relief === undefined) return;
    this.#special = true;
    void this.#relief.until('readable', () => this.#readAhead());
  }

  /** The end of what was read ahead, if nobody else has read. */
  tail(length: number): Buffer {
    if (this.#touched) return Buffer.alloc(0);
    if (!this.closed) this.#readAhead();
    return Buffer.concat(this.#ahead).subarray(-length);
  }

  /** From now on reads give what is there, and then this error: nobody waits for the end any more. */
  abandon(error: unknown): void {
    if (this.closed) return;
    this.#stopRelief();
    this.#special = true;
    this.#given = { error };
    if (this.waiting('readable') > 0) this.queue('readable').fail(error);
  }

  /** Resolves when no process can write to it any more, or it is closed; undefined if that is so now, or no descriptor is left. */
  hungUp(): Promise<void> | undefined {
    const isHungUp = (): boolean => this.closed || (this.poll() & POLLHUP) !== 0;
    if (isHungUp()) return undefined;
    this.#hangUp = PipeWatch.of(this.fd);
    // Nothing that one could write is waited for: the hang-up alone is told.
    return this.#hangUp?.until('writable', () => (isHungUp() ? undefined : BLOCKED));
  }

  #readAhead(): null | typeof BLOCKED {
    for (;;) {
      const chunk = super.tryRead();
      if (chunk === undefined) return BLOCKED;
      if (chunk === null) return null;
      this.#ahead.push(chunk);
      this.#aheadLength += chunk.length;
      while (this.#aheadLength > AHEAD) {
        const { length } = this.#ahead.shift()!;
        this.#aheadLength -= length;
        this.#lost += length;
      }
    }
  }

  #stopRelief(): void {
    this.#relief?.close();
    this.#relief = undefined;
  }

  #touch(): void {
    this.#touched = true;
    this.#stopRelief();
  }

  /** Whether `readAll` gave bytes back, which come before those that were read ahead. */
  get #wasGivenBack(): boolean {
    return Reflect.get(PipeReader.prototype, 'hasReturned', this) === true;
  }

  /** What was read ahead. */
  #next(options: ReadTarget | undefined): Buffer | undefined {
    this.#touch();
    if (this.#wasGivenBack) return undefined;
    const chunk = this.#ahead[0];
    if (chunk === undefined || this.closed) {
      this.#special = this.#given !== undefined;
      return undefined;
    }
    const { maxBytes, into } = options ?? {};
    if (maxBytes !== undefined) integer(maxBytes, 'options.maxBytes', 1);
    const memory = into === undefined ? undefined : writableBytes(into, 'options.into');
    if (memory?.length === 0) throw valueError('options.into', 'must not be empty', into);
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      throw new IpcError('ERR_TRUNCATED', {
        syscall: 'read',
        text: `${lost} bytes came before this that nobody read in time`,
        hint: 'read it while the program runs',
      });
    }
    const taken = chunk.subarray(0, Math.min(maxBytes ?? Infinity, memory?.length ?? Infinity));
    if (taken.length === chunk.length) this.#ahead.shift();
    else this.#ahead[0] = chunk.subarray(taken.length);
    this.#aheadLength -= taken.length;
    if (memory === undefined) return taken;
    memory.set(taken);
    return Buffer.from(memory.buffer, memory.byteOffset, taken.length);
  }

  #letGo(): void {
    this.#ahead.length = 0;
    this.#aheadLength = 0;
    this.#stopRelief();
    this.#hangUp?.close();
    this.#hangUp = undefined;
  }
}
