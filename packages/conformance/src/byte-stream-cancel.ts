import assert from 'node:assert/strict';

import type { ByteStreamAdapter } from './byte-stream.js';
import { fill, open, PLENTY, take } from './byte-stream-ends.js';
import type { Case } from './case.js';
import { assertIpcError, start, stillPending } from './outcome.js';
import { assertSameBytes, payload } from './payload.js';

/** Cancelled reads take nothing; cancelled writes tell what they wrote. */
export const cancellation: readonly Case<ByteStreamAdapter>[] = [
  {
    key: 'aborted-read',
    ids: '',
    promise: 'read() that was aborted rejects with the reason and takes no byte',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const controller = new AbortController();
      const reason = new Error('enough');
      const read = start(() => reader.read({ signal: controller.signal }));
      await stillPending(read);
      controller.abort(reason);
      assert.equal(await read.rejection(), reason);
      await writer.write('whole');
      assert.equal(String(await take(reader, 5)), 'whole');
    },
  },
  {
    key: 'aborted-before',
    ids: '',
    promise: 'read() and write() with an aborted signal reject with the reason and move no byte',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const reason = new Error('never');
      const signal = AbortSignal.abort(reason);
      const write = start(() => writer.write('not this', { signal }));
      assert.equal(await write.rejection(), reason);
      await writer.write('this');
      const read = start(() => reader.read({ signal }));
      assert.equal(await read.rejection(), reason);
      assert.equal(String(await take(reader, 4)), 'this');
      assert.equal(reader.tryRead(), undefined);
    },
  },
  {
    key: 'timed-out-read',
    ids: '',
    promise: 'read() rejects with ETIMEDOUT after its timeout, and takes no byte',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      for (const timeout of [0, 5]) {
        assertIpcError(await start(() => reader.read({ timeout })).rejection(), 'ETIMEDOUT');
      }
      await writer.write('whole');
      assert.equal(String(await take(reader, 5)), 'whole');
    },
  },
  {
    key: 'aborted-write',
    ids: '',
    promise: 'write() that was aborted half-way tells bytesWritten, and just those come out',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const controller = new AbortController();
      const reason = new Error('enough');
      const data = payload(2 * PLENTY, 21);
      const write = start(() => writer.write(data, { signal: controller.signal }));
      await stillPending(write);
      controller.abort(reason);
      assert.equal(await write.rejection(), reason);
      await assertWritten(reason, data, reader);
    },
  },
  {
    key: 'timed-out-write',
    ids: '',
    promise: 'write() that timed out half-way tells bytesWritten, and just those come out',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(2 * PLENTY, 22);
      const error = await start(() => writer.write(data, { timeout: 5 })).rejection();
      assertIpcError(error, 'ETIMEDOUT');
      await assertWritten(error, data, reader);
    },
  },
  {
    key: 'aborted-queued-write',
    ids: '',
    promise: 'write() that was aborted while it queued writes nothing, and the next one goes on',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const taken = fill(writer, payload(4_096, 23));
      const controller = new AbortController();
      const { signal } = controller;
      const writes = ['first', 'second', 'third', 'fourth'].map((text, index) =>
        start(() => writer.write(text, index % 2 === 1 ? { signal } : {})),
      );
      await stillPending(...writes);
      controller.abort();
      await writes[1]?.rejection();
      await writes[3]?.rejection();
      assertSameBytes(await take(reader, taken.length), taken);
      assert.equal(String(await take(reader, 10)), 'firstthird');
      await writes[0]?.given();
      await writes[2]?.given();
      assert.equal(reader.tryRead(), undefined);
    },
  },
];

async function assertWritten(
  error: unknown,
  data: Buffer,
  reader: Parameters<typeof take>[0],
): Promise<void> {
  const { bytesWritten } = error as { bytesWritten?: number };
  assert.ok(typeof bytesWritten === 'number', 'the error does not tell bytesWritten');
  assert.ok(bytesWritten > 0 && bytesWritten < data.length, `bytesWritten is ${bytesWritten}`);
  assertSameBytes(await take(reader, bytesWritten), data.subarray(0, bytesWritten));
  assert.equal(reader.tryRead(), undefined, 'it wrote more than it told');
}
