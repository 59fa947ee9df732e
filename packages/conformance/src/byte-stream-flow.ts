import assert from 'node:assert/strict';

import type { ByteStreamAdapter } from './byte-stream.js';
import { fill, open, PLENTY, required, take, takeAll } from './byte-stream-ends.js';
import type { Case } from './case.js';
import { start, stillPending, thrownBy, assertIpcError, throws } from './outcome.js';
import { assertSameBytes, payload } from './payload.js';

/** Waiting, not waiting, and blocking. */
export const flow: readonly Case<ByteStreamAdapter>[] = [
  {
    key: 'read-waits',
    ids: 'PIPE-008',
    promise: 'read() waits until there is data',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const read = start(() => reader.read());
      await stillPending(read);
      await writer.write('data');
      assert.equal(String(await read.given()), 'data');
    },
  },
  {
    key: 'try-read-empty',
    ids: 'PIPE-009',
    promise: 'tryRead() gives undefined, not the end, when there is nothing now',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      assert.equal(reader.tryRead(), undefined);
      await writer.write('x');
      await take(reader, 1);
      assert.equal(reader.tryRead(), undefined);
    },
  },
  {
    key: 'try-write-full',
    ids: 'PIPE-018',
    promise: 'tryWrite() takes nothing of what does not fit, and takes again once there is room',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const taken = fill(writer, payload(4_096, 12));
      assert.equal(writer.tryWrite('x'), 0);
      assertSameBytes(await take(reader, taken.length), taken);
      assert.equal(writer.tryWrite('y'), 1);
      assert.equal(String(await take(reader, 1)), 'y');
    },
  },
  {
    key: 'try-write-partial',
    ids: 'PIPE-017',
    promise: 'tryWrite() of more than fits tells how much it took, and took just that',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(2 * PLENTY, 13);
      const count = writer.tryWrite(data);
      assert.ok(count > 0 && count < data.length, `it took ${count} of ${data.length}`);
      assertSameBytes(await take(reader, count), data.subarray(0, count));
      assert.equal(reader.tryRead(), undefined, 'it took more than it told');
    },
  },
  {
    key: 'try-write-atomic',
    ids: 'PIPE-016',
    promise: 'tryWrite() of an atomic size is taken whole or not at all',
    needs: ['bounded', 'atomic'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const { atomicSize = 4_096 } = adapter;
      // Full, but for less than an atomic write: room is freed in steps that never reach its size.
      const taken = fill(writer, payload(atomicSize, 14));
      assert.equal(taken.length % atomicSize, 0, 'an atomic write was cut');
      const data = payload(atomicSize, 15);
      assertSameBytes(await take(reader, 100), taken.subarray(0, 100));
      const count = writer.tryWrite(data);
      assert.ok(count === 0 || count === atomicSize, `it took ${count} of ${atomicSize}`);
      const all = Buffer.concat([taken.subarray(100), data.subarray(0, count)]);
      assertSameBytes(await take(reader, all.length), all);
      assert.equal(reader.tryRead(), undefined);
    },
  },
  {
    key: 'back-pressure',
    ids: 'PIPE-019',
    promise: 'write() is fulfilled only when the stream has taken all of it',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const taken = fill(writer, payload(65_536, 16));
      const data = payload(taken.length + 1, 17);
      const write = start(() => writer.write(data));
      await stillPending(write);
      const all = Buffer.concat([taken, data]);
      const first = await take(reader, taken.length);
      await stillPending(write);
      assertSameBytes(Buffer.concat([first, await take(reader, data.length)]), all);
      await write.given();
    },
  },
  {
    key: 'try-behind-waiters',
    ids: '',
    promise: 'tryWrite() does not overtake a write that waits',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const taken = fill(writer, payload(4_096, 18));
      const write = start(() => writer.write(payload(4_096, 19)));
      await stillPending(write);
      const first = takeAll(reader);
      const count = writer.tryWrite('overtaking');
      await write.given();
      const all = Buffer.concat([
        taken,
        payload(4_096, 19),
        Buffer.from('overtaking').subarray(0, count),
      ]);
      const rest = await take(reader, all.length - first.length);
      assertSameBytes(Buffer.concat([first, rest]), all);
    },
  },
  {
    key: 'read-sync',
    ids: '',
    promise: 'readSync() gives what is there, and throws ETIMEDOUT when nothing comes in time',
    needs: ['sync'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const readSync = required(reader.readSync, 'readSync').bind(reader);
      await writer.write('data');
      assert.equal(String(readSync()), 'data');
      throws(() => readSync({ timeout: 0 }), 'ETIMEDOUT');
      const begin = performance.now();
      throws(() => readSync({ timeout: 20 }), 'ETIMEDOUT');
      assert.ok(performance.now() - begin >= 19, 'it gave up too early');
      await writer.write('more');
      assert.equal(String(await reader.read()), 'more');
    },
  },
  {
    key: 'write-sync',
    ids: '',
    promise:
      'writeSync() writes all of it, and tells bytesWritten on ETIMEDOUT when there is no room',
    needs: ['sync', 'bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const writeSync = required(writer.writeSync, 'writeSync').bind(writer);
      writeSync(Buffer.from('data'));
      assert.equal(String(await take(reader, 4)), 'data');
      const data = payload(2 * PLENTY, 20);
      const error = thrownBy(() => writeSync(data, { timeout: 20 }));
      assertIpcError(error, 'ETIMEDOUT');
      const { bytesWritten = 0 } = error as { bytesWritten?: number };
      assert.ok(bytesWritten > 0 && bytesWritten < data.length);
      assertSameBytes(await take(reader, bytesWritten), data.subarray(0, bytesWritten));
      assert.equal(reader.tryRead(), undefined, 'it wrote more than it told');
    },
  },
];
