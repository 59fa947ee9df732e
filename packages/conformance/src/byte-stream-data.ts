import assert from 'node:assert/strict';

import type { ByteStreamAdapter } from './byte-stream.js';
import { drain, open, PLENTY, required, take } from './byte-stream-ends.js';
import type { Case } from './case.js';
import { start } from './outcome.js';
import { assertSameBytes, payload, Sequence } from './payload.js';

const SIZES = [0, 1, 4095, 4096, 4097, 65_536, PLENTY];

/** Order and integrity of the bytes. */
export const integrity: readonly Case<ByteStreamAdapter>[] = [
  ...SIZES.map((size): Case<ByteStreamAdapter> => ({
    key: `bytes-${size}`,
    ids: size > 65_536 ? 'PIPE-001 PIPE-017' : 'PIPE-001',
    promise: `write() puts in what read() gives, in order, ${size} bytes`,
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(size);
      const written = start(() => writer.write(data));
      if (adapter.lacks?.end === undefined) {
        void written.settled.then(() => writer.close());
        assertSameBytes(await drain(reader), data);
      } else {
        assertSameBytes(await take(reader, size), data);
      }
      await written.given();
    },
  })),
  {
    key: 'splits',
    ids: 'PIPE-001 SOCK-029',
    promise: 'read() gives the same bytes in order, however writes and reads are cut',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const sequence = new Sequence(7);
      const data = payload(300_000, 2);
      const written = start(async () => {
        for (let at = 0; at < data.length;) {
          const end = Math.min(data.length, at + 1 + sequence.below(9_000));
          await writer.write(data.subarray(at, end));
          at = end;
        }
      });
      for (let at = 0; at < data.length;) {
        const maxBytes = 1 + sequence.below(Math.min(9_000, data.length - at));
        const chunk = await reader.read({ maxBytes });
        assert.ok(chunk !== null && chunk.length > 0 && chunk.length <= maxBytes);
        assertSameBytes(chunk, data.subarray(at, at + chunk.length), `the bytes from ${at} on`);
        at += chunk.length;
      }
      await written.given();
    },
  },
  {
    key: 'concurrent-writes',
    ids: 'PIPE-001',
    promise: 'write() keeps the order of calls that were not awaited, each in one piece',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const parts = Array.from({ length: 40 }, (_, index) => payload(1 + index * 500, index + 1));
      const writes = parts.map((part) => start(() => writer.write(part)));
      const data = Buffer.concat(parts);
      assertSameBytes(await take(reader, data.length), data);
      for (const write of writes) await write.given();
    },
  },
  {
    key: 'two-streams',
    ids: '',
    promise: 'open() gives streams that do not mix',
    async run(adapter, scope) {
      const streams = [await open(adapter, scope), await open(adapter, scope)];
      for (const [index, { writer }] of streams.entries()) await writer.write(`stream ${index}`);
      for (const [index, { reader }] of streams.entries()) {
        assert.equal(String(await take(reader, 8)), `stream ${index}`);
      }
    },
  },
  {
    key: 'concurrent-reads',
    ids: 'PIPE-040',
    promise: 'read() gives every byte once, in the order of the calls, when many reads wait',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(64, 3);
      const reads = Array.from(data, () => start(() => reader.read({ maxBytes: 1 })));
      await writer.write(data.subarray(0, 30));
      await writer.write(data.subarray(30));
      const bytes: Buffer[] = [];
      for (const read of reads) bytes.push((await read.given()) ?? Buffer.alloc(0));
      assertSameBytes(Buffer.concat(bytes), data);
    },
  },
  {
    key: 'iteration',
    ids: '',
    promise: 'for await gives all chunks, then ends; leaving it early closes nothing',
    needs: ['iteration', 'end'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(10_000, 4);
      await writer.write(data.subarray(0, 1));
      for await (const chunk of chunks(reader)) {
        assertSameBytes(chunk, data.subarray(0, 1));
        break;
      }
      assert.equal(reader.closed, false, 'leaving the loop closed the reader');
      await writer.write(data);
      writer.close();
      const rest: Buffer[] = [];
      for await (const chunk of chunks(reader)) rest.push(chunk);
      assertSameBytes(Buffer.concat(rest), data);
    },
  },
  {
    key: 'read-all',
    ids: '',
    promise: 'readAll() gives everything until the end, and EMSGSIZE over maxBytes',
    needs: ['readAll', 'end'],
    async run(adapter, scope) {
      for (const maxBytes of [200_000, 199_999]) {
        const { reader, writer } = await open(adapter, scope);
        const data = payload(200_000, 5);
        const written = start(() => writer.write(data));
        void written.settled.then(() => writer.close());
        const all = start(() => required(reader.readAll, 'readAll').call(reader, { maxBytes }));
        if (maxBytes === data.length) {
          assertSameBytes(await all.given(), data);
        } else {
          const error = await all.rejection();
          assert.equal((error as { code?: unknown }).code, 'EMSGSIZE');
          reader.close();
        }
        await written.settled;
      }
    },
  },
  {
    key: 'lines',
    ids: '',
    promise: 'lines() gives each line without its end, also when a write cuts a character in two',
    needs: ['lines', 'end'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const lines = ['one', '', 'größer als 1 €', 'last'];
      const data = Buffer.from(lines.join('\n'));
      const written = start(async () => {
        for (const byte of data) await writer.write(Buffer.of(byte));
        writer.close();
      });
      const seen: string[] = [];
      for await (const line of required(reader.lines, 'lines').call(reader)) seen.push(line);
      assert.deepEqual(seen, lines);
      await written.given();
    },
  },
];

function chunks(reader: {
  [Symbol.asyncIterator]?(): AsyncIterator<Buffer>;
}): AsyncIterable<Buffer> {
  required(reader[Symbol.asyncIterator], 'Symbol.asyncIterator');
  return reader as AsyncIterable<Buffer>;
}
