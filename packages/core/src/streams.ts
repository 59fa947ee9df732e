import type Stream from 'node:stream';
import type { Readable, Writable } from 'node:stream';

import type { ByteReader, ByteWriter } from './channel.js';

const HIGH_WATER_MARK = 64 * 1024;

type Callback = (error?: Error | null) => void;

/** Loaded at the first use, since that takes a third of what importing a package does. */
const stream = (): typeof Stream => require('node:stream') as typeof Stream;

/** A Node stream that reads; it owns the reader. */
export function readableOf(reader: ByteReader): Readable {
  const { Readable: NodeReadable } = stream();
  return new NodeReadable({
    highWaterMark: HIGH_WATER_MARK,
    // Not `tryRead` first: where there is nothing, that is one system call more for each chunk.
    read() {
      reader
        .read()
        .then((chunk) => this.push(chunk))
        .catch((error: Error) => this.destroy(error));
    },
    destroy(error, callback) {
      reader.close();
      callback(error);
    },
  });
}

/** A Node stream that writes; it owns the writer. */
export function writableOf(writer: ByteWriter): Writable {
  const put = (data: Buffer, callback: Callback): void => {
    writer.write(data).then(() => callback(), callback);
  };
  const { Writable: NodeWritable } = stream();
  return new NodeWritable({
    highWaterMark: HIGH_WATER_MARK,
    write: (chunk: Buffer, _encoding, callback) => put(chunk, callback),
    writev: (chunks, callback) =>
      put(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), callback),
    final(callback) {
      writer.close();
      callback();
    },
    destroy(error, callback) {
      writer.close();
      callback(error);
    },
  });
}

/** A web stream of bytes; it owns the reader. */
export function webReadableOf(reader: ByteReader): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    autoAllocateChunkSize: HIGH_WATER_MARK,
    async pull(controller) {
      const request = controller.byobRequest!;
      const chunk = await closingOnError(reader, reader.read({ into: request.view as Uint8Array }));
      if (chunk !== null) {
        request.respond(chunk.length);
        return;
      }
      reader.close();
      controller.close();
      request.respond(0);
    },
    cancel: () => reader.close(),
  });
}

/** A web stream that writes; it owns the writer. */
export function webWritableOf(writer: ByteWriter): WritableStream<Uint8Array | string> {
  return new WritableStream<Uint8Array | string>(
    {
      // An abort of the stream waits for the write that is under way: that has to end then.
      write: (chunk, controller) =>
        closingOnError(
          writer,
          writer.write(chunk, { signal: (controller as { readonly signal?: AbortSignal }).signal }),
        ),
      close: () => writer.close(),
      abort: () => writer.close(),
    },
    { highWaterMark: HIGH_WATER_MARK, size: (chunk) => chunk?.length ?? 0 },
  );
}

/** A web stream that has failed tells its source or sink nothing more: whoever failed closes. */
async function closingOnError<T>(end: ByteReader | ByteWriter, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    end.close();
    throw error;
  }
}
