import {
  IpcError,
  type ByteReader,
  type Bytes,
  type ByteWriter,
  type ReadTarget,
  type WaitOptions,
} from '@octoipc/core';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

abstract class Stream {
  closed = false;

  close(): void {
    this.closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A stream that gives its bytes in the chunks that a script says; an empty one is a moment of nothing. */
export class ScriptedReader extends Stream implements ByteReader {
  readonly #chunks: Buffer[];
  /** The sizes of the memory that readers brought. */
  readonly brought: number[] = [];

  constructor(chunks: readonly Uint8Array[]) {
    super();
    this.#chunks = chunks.map((chunk) => Buffer.from(chunk));
  }

  async read(options: WaitOptions & ReadTarget = {}): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.tryRead(options);
      if (chunk !== undefined) return chunk;
      await nextTurn();
    }
  }

  tryRead({ into, maxBytes = Infinity }: ReadTarget = {}): Buffer | null | undefined {
    if (into !== undefined) this.brought.push(into.length);
    const chunk = this.#chunks[0];
    if (chunk === undefined) return null;
    const count = Math.min(chunk.length, maxBytes, into?.length ?? Infinity);
    if (count === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(count);
    if (count === 0) return undefined;
    if (into === undefined) return Buffer.from(chunk.subarray(0, count));
    chunk.copy(into, 0, 0, count);
    return Buffer.from(into.buffer, into.byteOffset, count);
  }
}

/** A stream that takes as many bytes at once as a script says, and then whatever comes. */
export class ScriptedWriter extends Stream implements ByteWriter {
  readonly #takes: number[];
  /** The sizes of the writes that it was asked for. */
  readonly asked: number[] = [];
  written = Buffer.alloc(0);
  /** Set to make every further write fail. */
  broken: Error | undefined;
  /** While this is set it takes nothing. */
  full = false;

  constructor(takes: readonly number[] = []) {
    super();
    this.#takes = [...takes];
  }

  tryWrite(data: Bytes): number {
    if (this.broken !== undefined) throw this.broken;
    const bytes = Buffer.from(data);
    this.asked.push(bytes.length);
    const count = this.full ? 0 : Math.min(bytes.length, this.#takes.shift() ?? Infinity);
    this.written = Buffer.concat([this.written, bytes.subarray(0, count)]);
    return count;
  }

  async write(data: Bytes, { signal }: WaitOptions = {}): Promise<void> {
    const bytes = Buffer.from(data);
    let done = 0;
    while (done < bytes.length) {
      if (this.closed) throw new IpcError('ERR_CLOSED');
      if (signal?.aborted === true) {
        throw Object.assign(signal.reason as object, { bytesWritten: done });
      }
      done += this.tryWrite(bytes.subarray(done));
      if (done < bytes.length) await nextTurn();
    }
  }
}
