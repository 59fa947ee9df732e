import { describe, expect, test } from 'vitest';

import { codeNow } from './failure.js';
import { kit } from './kit-binding.js';

describe('arguments of native functions', () => {
  const wrong = [undefined, null, '5', 5n, {}, [], true, () => 5, Symbol('5')];

  test.each(['int32', 'uint32', 'int64'] as const)(
    'BIND-004: %s throws a TypeError for what is not a number',
    (name) => {
      for (const value of wrong)
        expect(codeNow(() => kit[name](value))).toBe('ERR_INVALID_ARG_TYPE');
    },
  );

  test.each([
    ['int32', -(2 ** 31), 2 ** 31 - 1],
    ['uint32', 0, 2 ** 32 - 1],
    ['int64', -(2 ** 53 - 1), 2 ** 53 - 1],
  ] as const)(
    'BIND-004: %s takes %d to %d and refuses what is beyond, without ToInt32',
    (name, min, max) => {
      for (const value of [min, max, 0, 1]) expect(kit[name](value)).toBe(value);
      const beyond = [
        min - 1,
        max + 1,
        0.5,
        Number.NaN,
        Infinity,
        -Infinity,
        2 ** 63,
        Number.MIN_VALUE,
      ];
      for (const value of beyond)
        expect(codeNow(() => kit[name](value))).toBe('ERR_INVALID_ARG_TYPE');
    },
  );

  test('BIND-004: bool and string take nothing that merely converts', () => {
    expect([kit.bool(true), kit.bool(false)]).toEqual([1, 0]);
    for (const value of [0, 1, 'true', null, undefined]) {
      expect(codeNow(() => kit.bool(value))).toBe('ERR_INVALID_ARG_TYPE');
    }
    for (const value of [0, null, undefined, {}, Buffer.from('x')]) {
      expect(codeNow(() => kit.stringSize(value))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('a string is UTF-8, with NUL bytes and lone surrogates, whatever its length', () => {
    for (const text of ['', 'a', 'é€😀', 'a\0b', '\ud800', 'x'.repeat(100_000)]) {
      expect(kit.stringSize(text)).toBe(Buffer.byteLength(text));
    }
  });

  test('a missing argument is a TypeError, one too many is ignored', () => {
    const bare = kit.int32 as (...values: unknown[]) => number;
    expect(codeNow(() => bare())).toBe('ERR_INVALID_ARG_TYPE');
    expect(bare(7, 'more')).toBe(7);
  });

  test('BIND-006: bytes are those of the view: offset, length, pooled, shared, empty', () => {
    const memory = new Uint8Array(new ArrayBuffer(32));
    memory.forEach((_, i) => (memory[i] = i));
    const sum = (bytes: Uint8Array) =>
      bytes.reduce((all, byte) => (all * 31 + byte) & 0x7fffffff, 0);
    const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 4);
    shared.set([9, 8, 7, 6]);
    const views = [
      memory,
      memory.subarray(3, 17),
      memory.subarray(32),
      new Uint8Array(0),
      Buffer.from('pooled by Node'),
      shared,
    ];
    for (const view of views) {
      expect(kit.checksum(view)).toBe(sum(view));
      expect(kit.bytesSize(view)).toBe(view.length);
    }
  });

  test('BIND-006: other views and plain memory are TypeErrors, a detached one is empty', () => {
    const memory = new ArrayBuffer(8);
    const others = [
      memory,
      new SharedArrayBuffer(8),
      new DataView(memory),
      new Int32Array(memory),
      new Uint8ClampedArray(memory),
      [1, 2, 3],
      'abc',
      null,
    ];
    for (const value of others)
      expect(codeNow(() => kit.checksum(value))).toBe('ERR_INVALID_ARG_TYPE');
    const view = new Uint8Array(memory);
    structuredClone(memory, { transfer: [memory] });
    expect(kit.bytesSize(view)).toBe(0);
    expect(kit.checksum(view)).toBe(0);
  });

  test('BIND-006: integers are written within their view only', () => {
    const all = new Int32Array(8);
    expect(kit.fill(all.subarray(2, 5), 7)).toBe(3);
    expect([...all]).toEqual([0, 0, 7, 7, 7, 0, 0, 0]);
    expect(codeNow(() => kit.fill(new Uint32Array(2), 7))).toBe('ERR_INVALID_ARG_TYPE');
  });
});
