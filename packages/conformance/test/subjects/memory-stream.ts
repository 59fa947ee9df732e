import { IpcError, type Bytes, type ReadTarget, type WaitOptions } from '@octoipc/core';
import {
  BLOCKED,
  bytes,
  checkTimeout,
  integer,
  iterate,
  optionsObject,
  valueError,
  waitOptions,
  writableBytes,
  type Attempt,
} from '@octoipc/core/kit';

import { blockFor, MemoryHandle } from './memory-handle.js';

const CAPACITY = 65_536;
const ATOMIC = 4_096;

/** What both ends share. */
interface Shared {
  data: Buffer;
  readonly reader: MemoryReader;
  readonly writer: MemoryWriter;
}

interface ReadOptions extends ReadTarget, WaitOptions {}

/** The reading end of a byte stream in memory. */
export class MemoryReader extends MemoryHandle {
  readonly #shared: () => Shared;

  constructor(shared: () => Shared) {
    super();
    this.#shared = shared;
  }

  async read(options?: ReadOptions): Promise<Buffer | null> {
    const { maxBytes, into } = target(options);
    const wait = waitOptions(options);
    this.checkOpen('read');
    const attempt = (): Buffer | null | typeof BLOCKED => this.#take(maxBytes, into);
    return this.waiters.queue.run(attempt, wait, { details: { syscall: 'read' } });
  }

  tryRead(options?: ReadTarget): Buffer | null | undefined {
    const { maxBytes, into } = target(options);
    this.checkOpen('read');
    if (this.waiters.queue.length > 0) return undefined;
    const result = this.#take(maxBytes, into);
    return result === BLOCKED ? undefined : result;
  }

  readSync(options?: ReadTarget & { readonly timeout?: number }): Buffer | null {
    checkTimeout(optionsObject(options).timeout);
    return this.tryRead(options) ?? this.#endOrBlock(options?.timeout);
  }

  async readAll(options?: { readonly maxBytes?: number }): Promise<Buffer> {
    const { maxBytes = Infinity } = optionsObject(options);
    const chunks: Buffer[] = [];
    for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length > maxBytes) throw new IpcError('EMSGSIZE', { syscall: 'read' });
    }
    return Buffer.concat(chunks);
  }

  async *lines(): AsyncGenerator<string> {
    yield* (await this.readAll()).toString().split('\n');
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Buffer> {
    return iterate<Buffer>({ handle: this, receive: (wait) => this.read(wait) });
  }

  override close(): void {
    super.close();
    this.#shared().writer.waiters.wake();
  }

  #take(maxBytes: number, into: Uint8Array | undefined): Buffer | null | typeof BLOCKED {
    const shared = this.#shared();
    if (shared.data.length === 0) return shared.writer.closed ? null : BLOCKED;
    const chunk = Buffer.from(shared.data.subarray(0, maxBytes));
    shared.data = shared.data.subarray(chunk.length);
    shared.writer.waiters.wake();
    if (into === undefined) return chunk;
    into.set(chunk);
    return Buffer.from(into.buffer, into.byteOffset, chunk.length);
  }

  #endOrBlock(timeout: number | undefined): null {
    const { writer, data } = this.#shared();
    if (writer.closed && data.length === 0) return null;
    blockFor(timeout, 'read');
  }
}

/** The writing end of a byte stream in memory. */
export class MemoryWriter extends MemoryHandle {
  readonly #shared: () => Shared;

  constructor(shared: () => Shared) {
    super();
    this.#shared = shared;
  }

  async write(data: Bytes, options?: WaitOptions): Promise<void> {
    const view = bytes(data);
    const wait = waitOptions(options);
    this.checkOpen('write');
    const { length } = view;
    let written = 0;
    const attempt: Attempt<void> = () => {
      if (view.length !== length) throw valueError('data', 'was detached', data);
      written += this.#put(view.subarray(written));
      return written < view.length ? BLOCKED : undefined;
    };
    return this.waiters.queue.run(attempt, wait, {
      details: { syscall: 'write' },
      cancelled: (error) =>
        written === 0 ? error : Object.assign(error as Error, { bytesWritten: written }),
    });
  }

  tryWrite(data: Bytes): number {
    const view = bytes(data);
    this.checkOpen('write');
    return this.waiters.queue.length > 0 ? 0 : this.#put(view);
  }

  writeSync(data: Bytes, options?: { readonly timeout?: number | undefined }): void {
    const { timeout } = optionsObject(options);
    checkTimeout(timeout);
    const view = bytes(data);
    const written = this.tryWrite(view);
    if (written < view.length) blockFor(timeout, 'write', written);
  }

  override close(): void {
    super.close();
    this.#shared().reader.waiters.wake();
  }

  #put(view: Uint8Array): number {
    const shared = this.#shared();
    if (shared.reader.closed) throw new IpcError('EPIPE', { syscall: 'write' });
    const room = CAPACITY - shared.data.length;
    if (view.length <= ATOMIC && view.length > room) return 0;
    const part = view.subarray(0, room);
    if (part.length === 0) return 0;
    shared.data = Buffer.concat([shared.data, part]);
    shared.reader.waiters.wake();
    return part.length;
  }
}

function target(options: ReadTarget | undefined): { maxBytes: number; into?: Uint8Array } {
  const { maxBytes = CAPACITY, into } = optionsObject(options);
  integer(maxBytes, 'options.maxBytes', 1);
  if (into === undefined) return { maxBytes };
  return { maxBytes: Math.min(maxBytes, writableBytes(into, 'options.into').length), into };
}

/** Both ends of a byte stream in memory. */
export function memoryStream(): { reader: MemoryReader; writer: MemoryWriter } {
  const shared: Shared = {
    data: Buffer.alloc(0),
    reader: new MemoryReader(() => shared),
    writer: new MemoryWriter(() => shared),
  };
  return { reader: shared.reader, writer: shared.writer };
}
