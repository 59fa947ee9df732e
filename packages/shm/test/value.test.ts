import { SharedMemory, ShmValue } from '@octoipc/shm';
import { describe, expect, onTestFinished, test } from 'vitest';

import { value } from './racing.js';

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('ShmValue', () => {
  test('get() gives what was set last, by whomever', () => {
    const { value: made, name } = value({ maxSize: 100 });
    const other = ShmValue.attach(name);
    onTestFinished(() => other.close());
    expect([made.get(), made.version]).toEqual([null, 0]);
    for (let size = 0; size <= 100; size++) {
      (size % 2 === 0 ? made : other).set(Buffer.alloc(size, size));
      expect(made.get()).toEqual(Buffer.alloc(size, size));
      expect(other.get()).toEqual(Buffer.alloc(size, size));
    }
    expect(other.version).toBe(101);
    expect(() => made.set(Buffer.alloc(101))).toThrow(code('EMSGSIZE'));
    expect(made.version).toBe(101);
  });

  test('what get() gave belongs to who got it', () => {
    const { value: made } = value();
    made.set('kept');
    const kept = made.get();
    for (let i = 0; i < 100; i++) made.set(`other ${i}`);
    for (let i = 0; i < 100; i++) made.get();
    expect(String(kept)).toBe('kept');
  });

  test('a version goes on beyond 2^32, for who had read it before', () => {
    const { value: made, name } = value();
    const memory = SharedMemory.open(name);
    onTestFinished(() => memory.close());
    made.set('odd');
    expect([String(made.get()), made.version]).toEqual(['odd', 1]);
    // docs/layout.md: begun and version. Odd again, so that it is in the same slot.
    for (const at of [64, 128]) memory.view(BigUint64Array, at, 1)[0] = 2n ** 32n - 1n;
    expect([String(made.get()), made.version]).toEqual(['odd', 2 ** 32 - 1]);
    for (let i = 0; i < 3; i++) {
      made.set(`state ${i}`);
      expect([String(made.get()), made.version]).toEqual([`state ${i}`, 2 ** 32 + i]);
    }
  });

  test('changed() waits for another version, in all flavours', async () => {
    const { value: made, name } = value();
    const other = ShmValue.attach(name);
    onTestFinished(() => other.close());
    expect(made.tryChanged(0)).toBeUndefined();
    expect(() => made.changedSync(0, { timeout: 1 })).toThrow(code('ETIMEDOUT'));
    await expect(made.changed(0, { timeout: 1 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const controller = new AbortController();
    const aborted = made.changed(0, { signal: controller.signal });
    const waits = [made.changed(0), other.changed(0)];
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    other.set('one');
    expect(await waits[0]).toBe(1);
    expect(await waits[1]).toBe(1);
    const next = made.changed(1);
    other.set('two');
    expect(await next).toBe(2);
    expect(made.changedSync(1)).toBe(2);
    expect(made.tryChanged(7)).toBe(2);
  });

  test('who waits for the next version is in nobody’s way who has missed one', async () => {
    const { value: made } = value();
    made.set('one');
    made.set('two');
    const next = made.changed(2);
    for (let i = 0; i < 200; i++) expect(await made.changed(i % 2)).toBe(2);
    expect(made.changedSync(1)).toBe(2);
    expect(() => made.changedSync(2, { timeout: 1 })).toThrow(code('ETIMEDOUT'));
    await expect(made.changed(1, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    made.set('three');
    expect(await next).toBe(3);
  });

  test('looks beside who waits let the event loop turn', async () => {
    const { value: made } = value();
    made.set('one');
    const next = made.changed(1);
    const turned = new Promise<string>((resolve) => setImmediate(resolve, 'turned'));
    const looking = (async () => {
      for (let looks = 0; looks < 1000; looks++) await made.changed(0);
      return 'looked';
    })();
    expect(await Promise.race([looking, turned])).toBe('turned');
    await looking;
    made.close();
    await expect(next).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('RING-013: a value that is cut off or wiped out is an error, and no signal', () => {
    for (const [size, expected] of [
      [4096, 'ERR_TRUNCATED'],
      [1, 'EBADMSG'],
    ] as const) {
      const memory = SharedMemory.memfd({ size: 8192 });
      const made = ShmValue.create(memory, { maxSize: 64 });
      made.set('gone');
      memory.resize(size);
      expect(() => made.get()).toThrow(code(expected));
      expect(made.closed).toBe(true);
      memory.close();
    }
    const memory = SharedMemory.memfd({ size: 8192 });
    onTestFinished(() => memory.close());
    const made = ShmValue.create(memory, { maxSize: 64 });
    made.set('gone');
    memory.bytes.fill(0);
    expect(() => made.get()).toThrow(code('EBADMSG'));
  });

  test('closing rejects who waits, and everything after', async () => {
    const { value: made } = value();
    const waits = made.changed(0);
    made.close();
    await expect(waits).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(() => made.get()).toThrow(code('ERR_CLOSED'));
    expect(() => made.set('x')).toThrow(code('ERR_CLOSED'));
    expect(() => made.version).toThrow(code('ERR_CLOSED'));
    await expect(made.changed(0)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('what is none is refused', () => {
    for (const [index, number] of [
      [0, 0x474e_524f],
      [1, 2],
      [3, 1],
      [4, 64],
      [5, 2 ** 30],
      [6, 64],
      [7, 1],
    ] as const) {
      const memory = SharedMemory.memfd({ size: 8192 });
      ShmValue.create(memory, { maxSize: 64 }).close();
      memory.view(Int32Array)[index] = number;
      expect(() => ShmValue.attach(memory)).toThrow(code('EBADMSG'));
      expect(() => ShmValue.create(memory, { maxSize: 64 })).toThrow(code('EEXIST'));
      memory.close();
    }
  });
});
