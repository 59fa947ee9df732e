import { createPipe, PipeReader, PipeWriter } from '@octoipc/pipe';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { filled, isPending, opened } from './opened.js';

/** Memory that was transferred away. */
function detached<T extends ArrayBufferView>(view: T): T {
  structuredClone(null, { transfer: [view.buffer as ArrayBuffer] });
  return view;
}

describe('data', () => {
  test('BIND-004: what is neither a string nor a view of memory is a TypeError', async () => {
    const { reader, writer } = opened();
    const wrong = [
      undefined,
      null,
      5,
      {},
      ['a'],
      new ArrayBuffer(4),
      new SharedArrayBuffer(4),
      true,
    ];
    for (const data of wrong as unknown as string[]) {
      for (const call of ['write', 'writeAtomic'] as const) {
        expect(await codeOf(() => writer[call](data))).toBe('ERR_INVALID_ARG_TYPE');
      }
      for (const call of ['tryWrite', 'tryWriteAtomic', 'writeSync', 'writeAtomicSync'] as const) {
        expect(codeNow(() => writer[call](data))).toBe('ERR_INVALID_ARG_TYPE');
      }
    }
    expect(reader.available).toBe(0);
  });

  test('BIND-006: any view is written as its own bytes: offset, length, type, shared memory', async () => {
    const { reader, writer } = opened();
    const memory = Uint8Array.from({ length: 32 }, (_, i) => i);
    const shared = new Uint8Array(new SharedArrayBuffer(16), 3, 5).fill(9);
    const views = [
      memory.subarray(5, 17),
      Buffer.from(memory.buffer, 8, 8),
      new DataView(memory.buffer, 1, 6),
      new Int32Array(memory.buffer, 4, 3),
      new BigUint64Array(memory.buffer, 16, 1),
      new Uint8ClampedArray(memory.buffer, 30),
      shared,
    ] as unknown as Uint8Array[];
    for (const view of views) {
      await writer.write(view);
      const wanted = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
      expect((await reader.read())!.equals(wanted)).toBe(true);
      expect(writer.tryWrite(view)).toBe(view.byteLength);
      expect(reader.readSync()!.equals(wanted)).toBe(true);
    }
    for (const text of ['é€😀', 'a\0b', '\ud800']) {
      await writer.write(text);
      expect((await reader.read())!.equals(Buffer.from(text))).toBe(true);
    }
  });

  test('BIND-006: reading into any Uint8Array fills its own bytes, shared memory too', async () => {
    const { reader, writer } = opened();
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    for (const memory of [new Uint8Array(8), shared, Buffer.alloc(8)]) {
      await writer.write('1234');
      const got = await reader.read({ into: memory.subarray(2, 7) });
      expect(got!.length).toBe(4);
      expect([...memory]).toEqual([0, 0, 49, 50, 51, 52, 0, 0]);
    }
    for (const into of ['text', 5, null, [1], new ArrayBuffer(4)] as unknown as Uint8Array[]) {
      expect(await codeOf(() => reader.read({ into }))).toBe('ERR_INVALID_ARG_TYPE');
    }
    for (const into of [new Uint8Array(0), detached(new Uint8Array(4))]) {
      expect(await codeOf(() => reader.read({ into }))).toBe('ERR_INVALID_ARG_VALUE');
      expect(codeNow(() => reader.tryRead({ into }))).toBe('ERR_INVALID_ARG_VALUE');
    }
  });

  test('BIND-006: detached memory is refused', async () => {
    const { reader, writer } = opened();
    for (const data of [detached(new Uint8Array(5)), detached(new DataView(new ArrayBuffer(5)))]) {
      expect(await codeOf(() => writer.write(data as Uint8Array))).toBe('ERR_INVALID_ARG_VALUE');
      expect(codeNow(() => writer.tryWrite(data as Uint8Array))).toBe('ERR_INVALID_ARG_VALUE');
      expect(codeNow(() => writer.writeAtomicSync(data as Uint8Array))).toBe(
        'ERR_INVALID_ARG_VALUE',
      );
    }
    expect(reader.available).toBe(0);
  });

  test('BIND-007: memory that is detached while it is written: a typed error with bytesWritten, no crash', async () => {
    const { reader, writer } = opened();
    const data = new Uint8Array(200_000).fill(1);
    const waiting = writer.write(data);
    const next = writer.write('next');
    detached(data);
    expect(reader.readSync()!.length).toBe(65_536);
    expect(await failure(() => waiting)).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      bytesWritten: 65_536,
    });
    await next;
    expect(String(await reader.read())).toBe('next');
  });

  test('BIND-007: memory that is detached while a read waits for it: a typed error, and no byte is lost', async () => {
    const { reader, writer } = opened();
    const into = new Uint8Array(10);
    const waiting = reader.read({ into });
    const next = reader.read();
    detached(into);
    writer.tryWrite('for the next');
    expect(await codeOf(() => waiting)).toBe('ERR_INVALID_ARG_VALUE');
    expect(String(await next)).toBe('for the next');
  });

  test('BIND-007: memory is read when it is written: what changes while it waits may be seen', async () => {
    const { reader, writer } = filled();
    const data = Buffer.alloc(100, 'a');
    const waiting = writer.write(data);
    expect(await isPending(waiting)).toBe(true);
    data.fill('b');
    reader.readSync();
    await waiting;
    expect(String(await reader.read())).toBe('b'.repeat(100));
  });

  test('BIND-006: a resizable buffer that shrinks while it waits is no read out of bounds', async () => {
    const { reader, writer } = filled();
    const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
    const memory = new Resizable(8000, { maxByteLength: 16_000 }) as ArrayBuffer & {
      resize?(size: number): void;
    };
    if (memory.resize === undefined) throw new Error('this runtime has no resizable buffers');
    const waiting = writer.write(new Uint8Array(memory));
    expect(await isPending(waiting)).toBe(true);
    memory.resize(10);
    reader.readSync();
    expect(await codeOf(() => waiting)).toBe('ERR_INVALID_ARG_VALUE');
  });
});

describe('memory that is used again and again by blocking calls', () => {
  /** Ends whose blocking calls sleep in the kernel from the first on. */
  function sleeping() {
    const made = createPipe();
    const reader = PipeReader.fromFd(made.reader.release());
    const writer = PipeWriter.fromFd(made.writer.release());
    onTestFinished(() => {
      reader.close();
      writer.close();
    });
    return { reader, writer };
  }

  test('has each time what was written last, whichever memory came in between', () => {
    const { reader, writer } = sleeping();
    const other = sleeping();
    const [data, into, elsewhere] = [Buffer.from('a0'), Buffer.alloc(2), Buffer.alloc(2)];
    for (let i = 0; i < 20; i++) {
      data[1] = 0x30 + (i % 10);
      writer.writeSync(data);
      if (i % 3 === 0) other.writer.writeSync('zz');
      const between = i % 3 === 0 ? String(other.reader.readSync({ into: elsewhere })) : 'zz';
      expect(between).toBe('zz');
      expect(reader.readSync({ into })).toBe(into);
      expect(String(into)).toBe(`a${i % 10}`);
    }
  });

  test('BIND-006: is refused once it was transferred away, and nothing is written or read', () => {
    const { reader, writer } = sleeping();
    const [data, into] = [new Uint8Array(8).fill(1), new Uint8Array(8)];
    for (let i = 0; i < 3; i++) {
      writer.writeSync(data);
      reader.readSync({ into });
    }
    writer.writeSync('12345678');
    const moved = structuredClone(into, { transfer: [into.buffer] });
    expect(codeNow(() => reader.readSync({ into }))).toBe('ERR_INVALID_ARG_VALUE');
    expect([...moved]).toEqual(Array.from({ length: 8 }, () => 1));
    detached(data);
    expect(codeNow(() => writer.writeSync(data))).toBe('ERR_INVALID_ARG_VALUE');
    expect(reader.available).toBe(8);
  });

  test('may shrink and grow: what is there now is read into, and written', () => {
    const { reader, writer } = sleeping();
    // Node 20 has them; the types of its language version do not.
    const Resizable = ArrayBuffer as unknown as new (
      length: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(length: number): void };
    const memory = new Resizable(8, { maxByteLength: 1 << 20 });
    const into = new Uint8Array(memory);
    const lengths = [8, 8, 4, 8, 1 << 20, 2].map((length) => {
      memory.resize(length);
      writer.writeSync(Buffer.alloc(8, 7));
      const count = reader.readSync({ into })!.length;
      expect([...into.subarray(0, count)].every((byte) => byte === 7)).toBe(true);
      if (count < 8) reader.readSync();
      return count;
    });
    expect(lengths).toEqual([8, 8, 4, 8, 8, 2]);
  });
});
