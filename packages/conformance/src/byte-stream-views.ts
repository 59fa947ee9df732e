import assert from 'node:assert/strict';

import type { ByteStreamAdapter } from './byte-stream.js';
import { open, PLENTY, take } from './byte-stream-ends.js';
import type { Case } from './case.js';
import { start, stillPending } from './outcome.js';
import { assertSameBytes, payload } from './payload.js';
import { turns } from './turns.js';

/** What is written from, and what is read into. */
export const views: readonly Case<ByteStreamAdapter>[] = [
  {
    key: 'string',
    ids: '',
    promise: 'write() takes a string as UTF-8',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = Buffer.from('grüße, 世界\0!');
      await writer.write(data.toString());
      assertSameBytes(await take(reader, data.length), data);
    },
  },
  {
    key: 'offset-view',
    ids: 'BIND-006',
    promise: 'write() takes just the bytes of a view into larger memory, of whatever kind',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const memory = payload(128, 6);
      const copy = new Uint8Array(memory).buffer;
      const shared = new Uint8Array(new SharedArrayBuffer(128));
      shared.set(memory);
      const all = [
        memory.subarray(3, 60),
        new DataView(copy, 5, 17),
        new Float64Array(copy, 8, 4),
        shared.subarray(9, 40),
        new Uint8Array(copy, 128),
      ];
      for (const view of all) {
        const { byteOffset, byteLength } = view;
        const from = view === all[0] ? 3 : byteOffset;
        await writer.write(view as Uint8Array);
        const expected = memory.subarray(from, from + byteLength);
        assertSameBytes(await take(reader, byteLength), expected, view.constructor.name);
      }
    },
  },
  {
    key: 'reused-memory',
    ids: '',
    promise: 'write() has no more use of its memory once it is fulfilled',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const memory = payload(3_000, 7);
      const expected = Buffer.from(memory);
      await writer.write(memory);
      memory.fill(0);
      assertSameBytes(await take(reader, expected.length), expected);
    },
  },
  {
    key: 'changed-in-flight',
    ids: 'BIND-007',
    promise:
      'write() whose memory is changed while it waits puts in old bytes or new ones, no others',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const memory = new Uint8Array(2 * PLENTY).fill(1);
      const write = start(() => writer.write(memory));
      await stillPending(write);
      memory.fill(2);
      const data = await take(reader, memory.length);
      const changed = data.indexOf(2);
      const end = changed < 0 ? data.length : changed;
      assertSameBytes(data.subarray(0, end), Buffer.alloc(end, 1), 'the old bytes');
      assertSameBytes(data.subarray(end), Buffer.alloc(data.length - end, 2), 'the new bytes');
      await write.given();
    },
  },
  {
    key: 'transferred-in-flight',
    ids: 'BIND-007',
    promise:
      'write() whose memory is transferred away while it waits has a copy, or rejects with a TypeError',
    needs: ['bounded'],
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(2 * PLENTY, 25);
      const memory = new Uint8Array(data);
      const write = start(() => writer.write(memory));
      await stillPending(write);
      structuredClone(memory.buffer, { transfer: [memory.buffer] });
      const chunks: Buffer[] = [];
      for (let total = 0; total < data.length;) {
        const reading = start(() => reader.read());
        await Promise.race([reading.settled, write.settled]);
        await turns();
        if (reading.state === 'pending') break;
        const chunk = await reading.given();
        assert.ok(chunk !== null);
        chunks.push(chunk);
        total += chunk.length;
      }
      await write.settled;
      const taken = Buffer.concat(chunks);
      assertSameBytes(taken, data.subarray(0, taken.length));
      if (write.state === 'fulfilled') assert.equal(taken.length, data.length);
      else assert.ok(write.error instanceof TypeError, String(write.error));
    },
  },
  {
    key: 'owned-chunks',
    ids: '',
    promise: 'read() gives bytes that no later read overwrites',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(3_000, 8);
      const chunks: Buffer[] = [];
      for (let at = 0; at < data.length; at += 30) {
        await writer.write(data.subarray(at, at + 30));
        for (let left = 30; left > 0; left -= chunks.at(-1)!.length) {
          const chunk = await reader.read();
          assert.ok(chunk !== null && chunk.length > 0);
          chunks.push(chunk);
        }
      }
      assertSameBytes(Buffer.concat(chunks), data);
    },
  },
  {
    key: 'read-into',
    ids: 'BIND-006',
    promise:
      'read({ into }) fills that memory, gives the part that it filled, and touches nothing else',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(40, 9);
      const memory = new Uint8Array(64).fill(0xee);
      const into = memory.subarray(10, 50);
      const reading = start(() => reader.read({ into }));
      await writer.write(data.subarray(0, 25));
      const chunk = await reading.given();
      assert.ok(chunk !== null && chunk.buffer === memory.buffer && chunk.byteOffset === 10);
      assertSameBytes(chunk, data.subarray(0, chunk.length));
      const untouched = [...memory.subarray(0, 10), ...memory.subarray(10 + chunk.length)];
      assert.ok(
        untouched.every((byte) => byte === 0xee),
        'it wrote outside of what it gave',
      );
      await writer.write(data.subarray(25));
      const rest = reader.tryRead({ into: into.subarray(0, 5) });
      assert.ok(rest === undefined || (rest !== null && rest.length <= 5), 'into was too short');
    },
  },
  {
    key: 'max-bytes',
    ids: '',
    promise: 'read({ maxBytes }) takes no more than that, and leaves the rest',
    async run(adapter, scope) {
      const { reader, writer } = await open(adapter, scope);
      const data = payload(1_000, 10);
      await writer.write(data);
      const first = await reader.read({ maxBytes: 10 });
      assert.ok(first !== null && first.length <= 10);
      const second = reader.tryRead({ maxBytes: 1 });
      assert.ok(second === undefined || second?.length === 1);
      const taken = Buffer.concat([first, second ?? Buffer.alloc(0)]);
      const rest = await take(reader, data.length - taken.length);
      assertSameBytes(Buffer.concat([taken, rest]), data);
    },
  },
];
