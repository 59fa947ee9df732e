import type { IpcError } from '@octoipc/core';

import type { ByteStreamAdapter, StreamEnds } from '../../src/index.js';
import { stream } from './adapters.js';
import type { Broken } from './broken.js';
import { memoryStream, type MemoryReader, type MemoryWriter } from './memory-stream.js';
import { override } from './override.js';

type Write = MemoryWriter['write'];
type Read = MemoryReader['read'];
type Ends = ReturnType<typeof memoryStream>;

function broken(
  defect: string,
  rejectedBy: string,
  damage: (ends: Ends) => void,
): Broken<ByteStreamAdapter> {
  const open = (): StreamEnds => {
    const ends = memoryStream();
    damage(ends);
    return ends;
  };
  return { defect, rejectedBy, adapter: { ...stream, open } };
}

const write = (make: (original: Write, ends: Ends) => Write) => (ends: Ends) =>
  void override(ends.writer, { write: (original) => make(original, ends) });

const read = (make: (original: Read, ends: Ends) => Read) => (ends: Ends) =>
  void override(ends.reader, { read: (original) => make(original, ends) });

const half = (data: string | Uint8Array): number => Math.floor(data.length / 2);

/** Broken byte streams. */
export const brokenStreams: readonly Broken<ByteStreamAdapter>[] = [
  broken(
    'loses the last byte of a large write',
    'bytes-4097',
    write(
      (original) => (data, options) =>
        original(data.length > 4_096 ? data.slice(0, -1) : data, options),
    ),
  ),
  broken(
    'interleaves concurrent writes',
    'concurrent-writes',
    write((original) => async (data, options) => {
      await original(data.slice(0, half(data)), options);
      await original(data.slice(half(data)), options);
    }),
  ),
  broken(
    'doubles what crosses a page',
    'splits',
    read((original) => async (options) => {
      const chunk = await original(options);
      return chunk !== null && chunk.length > 4_096
        ? Buffer.concat([chunk, chunk.subarray(0, 1)])
        : chunk;
    }),
  ),
  broken(
    'never ends',
    'end-after-data',
    read(
      (original) => async (options) => (await original(options)) ?? new Promise<never>(() => {}),
    ),
  ),
  broken(
    'takes an empty stream for its end',
    'try-read-empty',
    ({ reader }) =>
      void override(reader, { tryRead: (original) => (options) => original(options) ?? null }),
  ),
  broken(
    'ignores abort',
    'aborted-read',
    read((original) => (options) => original({ ...options, signal: undefined })),
  ),
  broken(
    'takes bytes although it was aborted before',
    'aborted-before',
    read((original) => async (options) => {
      const { signal, ...rest } = options ?? {};
      const chunk = await original(rest);
      signal?.throwIfAborted();
      return chunk;
    }),
  ),
  broken(
    'goes on to read after an abort, and loses what it gets',
    'aborted-read',
    read((original) => (options) => {
      const { signal, ...rest } = options ?? {};
      const aborted = new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
      return Promise.race([original(rest), aborted]);
    }),
  ),
  broken(
    'rejects with an error of its own instead of the reason',
    'aborted-before',
    read((original) => async (options) => {
      if (options?.signal?.aborted === true) throw new Error('aborted');
      return original(options);
    }),
  ),
  broken(
    'times out with a plain error',
    'timed-out-read',
    read(
      (original) => (options) =>
        original(options).catch((error: Error) => {
          throw new Error(error.message);
        }),
    ),
  ),
  broken(
    'swallows EPIPE',
    'broken-pipe',
    write(
      (original) => (data, options) =>
        original(data, options).catch((error: IpcError) => {
          if (error.code !== 'EPIPE') throw error;
        }),
    ),
  ),
  broken(
    'has no back pressure',
    'back-pressure',
    write((original) => async (data, options) => void original(data, options).catch(() => {})),
  ),
  broken(
    'does not tell how much a cancelled write wrote',
    'aborted-write',
    write(
      (original) => (data, options) =>
        original(data, options).catch((error: { bytesWritten?: number }) => {
          delete error.bytesWritten;
          throw error;
        }),
    ),
  ),
  broken(
    'says that it took all',
    'try-write-partial',
    ({ writer }) =>
      void override(writer, {
        tryWrite: (original) => (data) => (original(data) > 0 ? data.length : 0),
      }),
  ),
  broken(
    'cuts atomic writes',
    'try-write-atomic',
    ({ writer }) =>
      void override(writer, {
        tryWrite: (original) => (data) => original(data) || original(data.slice(0, 10)),
      }),
  ),
  broken(
    'overtakes its waiters',
    'try-behind-waiters',
    ({ writer }) =>
      void override(writer, {
        tryWrite: (original) => (data) => {
          const { queue } = writer.waiters;
          Object.defineProperty(queue, 'length', { value: 0, configurable: true });
          const count = original(data);
          delete (queue as { length?: number }).length;
          return count;
        },
      }),
  ),
  broken(
    'reads from a closed handle',
    'reader-used-closed',
    read(
      (original, { reader }) =>
        async (options) =>
          reader.closed ? null : original(options),
    ),
  ),
  broken(
    'throws where it should reject',
    'writer-used-closed',
    write((original, { writer }) => (data, options) => {
      writer.checkOpen('write');
      return original(data, options);
    }),
  ),
  broken('reuses the memory of its chunks', 'owned-chunks', (ends) => {
    const memory = Buffer.alloc(65_536);
    override(ends.reader, {
      read: (original) => async (options) => {
        const chunk = await original(options);
        return chunk && memory.subarray(0, chunk.copy(memory));
      },
    });
  }),
  broken(
    'takes memory that went away for the end of the data',
    'transferred-in-flight',
    write(
      (original) => (data, options) =>
        original(data, options).catch((error: unknown) => {
          if (!(error instanceof TypeError)) throw error;
        }),
    ),
  ),
  broken(
    'forgets where a view begins',
    'offset-view',
    write(
      (original) => (data, options) =>
        original(
          typeof data === 'string' ? data : new Uint8Array(data.buffer, 0, data.byteLength),
          options,
        ),
    ),
  ),
  broken(
    'ignores maxBytes',
    'max-bytes',
    read((original) => (options) => original({ ...options, maxBytes: 65_536 })),
  ),
  broken(
    'decodes each chunk by itself',
    'lines',
    ({ reader }) =>
      void override(reader, {
        lines: () =>
          async function* lines() {
            let text = '';
            for await (const chunk of reader) text += chunk.toString();
            yield* text.split('\n');
          },
      }),
  ),
  broken(
    'closes with the loop',
    'iteration',
    ({ reader }) =>
      void override(reader, {
        [Symbol.asyncIterator]: (original) =>
          async function* iterate() {
            try {
              for (const chunks = original(); ;) {
                const { value, done } = await chunks.next();
                if (done === true) return;
                yield value as Buffer;
              }
            } finally {
              reader.close();
            }
          },
      } as Parameters<typeof override<MemoryReader>>[1]),
  ),
];
