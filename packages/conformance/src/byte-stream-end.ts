import assert from 'node:assert/strict';

import type { ByteStreamAdapter } from './byte-stream.js';
import { drain, fill, open, PLENTY, required } from './byte-stream-ends.js';
import type { Case } from './case.js';
import { assertIpcError, rejects, start, stillPending, throws } from './outcome.js';
import { assertSameBytes, payload } from './payload.js';

const READER_GONE = 'PIPE-012 SOCK-030';

/** What one side sees when the other has closed, or itself. */
export const ending: readonly Case<ByteStreamAdapter>[] = [
  {
    key: 'end-after-data',
    ids: 'PIPE-007 FIFO-014 BIND-008',
    promise: 'read() gives what is buffered, then null for ever, when the writer closed',
    needs: ['end'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(5_000, 11);
      await writer.write(data);
      writer.close();
      await rejects(() => writer.write('late'), 'ERR_CLOSED');
      assertSameBytes(await drain(reader), data);
      for (let i = 0; i < 3; i++) {
        assert.equal(await reader.read(), null);
        assert.equal(reader.tryRead(), null);
        if (adapter.lacks?.sync === undefined) {
          assert.equal(required(reader.readSync, 'readSync').call(reader), null);
        }
      }
    },
  },
  {
    key: 'end-at-once',
    ids: 'PIPE-007',
    promise: 'read() gives null, when the writer closed without a byte',
    needs: ['end'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      writer.close();
      assert.equal(await reader.read(), null);
    },
  },
  {
    key: 'end-wakes-readers',
    ids: 'PIPE-014',
    promise: 'read() gives null to everyone who waits, when the writer closes',
    needs: ['end'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const reads = Array.from({ length: 10 }, () => start(() => reader.read()));
      await stillPending(...reads);
      writer.close();
      for (const read of reads) assert.equal(await read.given(), null);
    },
  },
  {
    key: 'empty-write',
    ids: 'PIPE-020',
    promise: 'write() of no bytes is fulfilled, gives no data and makes no end',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      await writer.write(Buffer.alloc(0));
      await writer.write('');
      assert.equal(writer.tryWrite(Buffer.alloc(0)), 0);
      assert.equal(reader.tryRead(), undefined);
      await writer.write('x');
      assert.equal(String(await reader.read()), 'x');
    },
  },
  {
    key: 'broken-pipe',
    ids: READER_GONE,
    promise: 'write() rejects with EPIPE, and the process lives, when the reader closed',
    needs: ['brokenPipe'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      reader.close();
      await rejects(() => writer.write('x'), 'EPIPE');
      await rejects(() => writer.write(payload(PLENTY)), 'EPIPE');
      throws(() => writer.tryWrite('x'), 'EPIPE');
    },
  },
  {
    key: 'broken-pipe-sync',
    ids: READER_GONE,
    promise: 'writeSync() throws EPIPE, when the reader closed',
    needs: ['brokenPipe', 'sync'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      reader.close();
      const writeSync = required(writer.writeSync, 'writeSync').bind(writer);
      throws(() => writeSync(Buffer.from('x')), 'EPIPE');
    },
  },
  {
    key: 'broken-pipe-wakes-writers',
    ids: 'PIPE-013',
    promise: 'write() rejects with EPIPE for everyone who waits, when the reader closes',
    needs: ['brokenPipe', 'bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      fill(writer, payload(65_536));
      const writes = Array.from({ length: 5 }, () => start(() => writer.write(payload(10))));
      await stillPending(...writes);
      reader.close();
      for (const write of writes) assertIpcError(await write.rejection(), 'EPIPE');
    },
  },
  {
    key: 'reader-used-closed',
    ids: 'BIND-008',
    promise: 'read() rejects, tryRead() and readSync() throw ERR_CLOSED, after close()',
    async run(adapter, scope) {
      const { reader } = await open(adapter, scope);
      reader.close();
      assert.equal(reader.closed, true);
      await rejects(() => reader.read(), 'ERR_CLOSED');
      throws(() => reader.tryRead(), 'ERR_CLOSED');
      if (adapter.lacks?.sync === undefined) {
        throws(() => required(reader.readSync, 'readSync').call(reader), 'ERR_CLOSED');
      }
    },
  },
  {
    key: 'writer-used-closed',
    ids: 'BIND-008',
    promise: 'write() rejects, tryWrite() and writeSync() throw ERR_CLOSED, after close()',
    async run(adapter, scope) {
      const { writer } = await open(adapter, scope);
      writer.close();
      assert.equal(writer.closed, true);
      await rejects(() => writer.write('x'), 'ERR_CLOSED');
      throws(() => writer.tryWrite('x'), 'ERR_CLOSED');
      if (adapter.lacks?.sync === undefined) {
        const writeSync = required(writer.writeSync, 'writeSync').bind(writer);
        throws(() => writeSync(Buffer.from('x')), 'ERR_CLOSED');
      }
    },
  },
  {
    key: 'dispose',
    ids: '',
    promise: '[Symbol.dispose]() closes an end, and close() may come again',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      for (const end of [writer, reader]) {
        assert.equal(end.closed, false);
        end[Symbol.dispose]();
        assert.equal(end.closed, true);
        end.close();
        end[Symbol.dispose]();
      }
    },
  },
];
