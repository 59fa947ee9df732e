import {
  bytes,
  callback,
  checkTimeout,
  cString,
  descriptor,
  integer,
  isDetached,
  oneOf,
  optionalBoolean,
  optionsObject,
  waitOptions,
  writableBytes,
} from '@octoipc/core/kit';
import { describe, expect, test } from 'vitest';

import { codeNow } from './failure.js';

const NO_NUMBERS = ['5', null, undefined, 5n, {}, [5], true, Symbol('5'), new Number(5)];
const NO_WHOLE_NUMBERS = [Number.NaN, Infinity, -Infinity, 1.5, -0.5, 2 ** 53, 1e300];

describe('numbers', () => {
  test('BIND-004: integer() refuses what is no number with ERR_INVALID_ARG_TYPE', () => {
    for (const value of NO_NUMBERS) {
      expect(codeNow(() => integer(value, 'n'))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('BIND-004: integer() refuses what is not whole or out of bounds with ERR_OUT_OF_RANGE', () => {
    for (const value of [...NO_WHOLE_NUMBERS, -1]) {
      expect(codeNow(() => integer(value, 'n'))).toBe('ERR_OUT_OF_RANGE');
    }
    expect(codeNow(() => integer(0, 'n', 1, 3))).toBe('ERR_OUT_OF_RANGE');
    expect(codeNow(() => integer(4, 'n', 1, 3))).toBe('ERR_OUT_OF_RANGE');
    expect([1, 2, 3].map((value) => integer(value, 'n', 1, 3))).toEqual([1, 2, 3]);
    expect(integer(Number.MAX_SAFE_INTEGER, 'n')).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('BIND-004: a descriptor is 0 to 2^31 - 1; 0 is one', () => {
    expect([0, 1, 2 ** 31 - 1].map((fd) => descriptor(fd))).toEqual([0, 1, 2 ** 31 - 1]);
    for (const fd of [-1, 2 ** 31, 1.5, Number.NaN]) {
      expect(codeNow(() => descriptor(fd))).toBe('ERR_OUT_OF_RANGE');
    }
  });

  test('BIND-004: a timeout is any number from 0 up, Infinity included', () => {
    for (const value of [undefined, 0, 0.5, 2 ** 40, Infinity]) checkTimeout(value);
    for (const value of [-1, -0.001, Number.NaN, -Infinity]) {
      expect(codeNow(() => checkTimeout(value))).toBe('ERR_OUT_OF_RANGE');
    }
    for (const value of ['5', null, 5n, {}]) {
      expect(codeNow(() => checkTimeout(value))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});

describe('words and objects', () => {
  test('BIND-005: a string for C has no NUL byte and is not empty', () => {
    expect(cString('/jobs', 'name')).toBe('/jobs');
    for (const value of ['', '\0', 'a\0b', 'a\0']) {
      expect(codeNow(() => cString(value, 'name'))).toBe('ERR_INVALID_ARG_VALUE');
    }
    for (const value of [undefined, null, 5, Buffer.from('x'), ['x']]) {
      expect(codeNow(() => cString(value, 'name'))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('oneOf() takes its words only', () => {
    expect(oneOf('read', 'end', ['read', 'write'])).toBe('read');
    expect(codeNow(() => oneOf('Read', 'end', ['read', 'write']))).toBe('ERR_INVALID_ARG_VALUE');
    expect(codeNow(() => oneOf(0, 'end', ['read', 'write']))).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('optionalBoolean(), optionsObject() and callback() take nothing that merely converts', () => {
    expect(optionalBoolean(undefined, 'x')).toBeUndefined();
    expect(optionalBoolean(false, 'x')).toBe(false);
    for (const value of [0, 1, '', 'true', null]) {
      expect(codeNow(() => optionalBoolean(value, 'x'))).toBe('ERR_INVALID_ARG_TYPE');
    }
    expect(optionsObject(undefined)).toEqual({});
    for (const value of [null, 5, 'x', true, [], () => 5]) {
      expect(codeNow(() => optionsObject(value as object))).toBe('ERR_INVALID_ARG_TYPE');
    }
    expect(codeNow(() => callback({}, 'fn'))).toBe('ERR_INVALID_ARG_TYPE');
  });

  test('waitOptions() refuses a signal that is none, and passes the options on', () => {
    const options = { signal: AbortSignal.abort(), timeout: 5 };
    expect(waitOptions(options)).toBe(options);
    for (const signal of [null, 5, 'abort', {}]) {
      expect(codeNow(() => waitOptions({ signal: signal as AbortSignal }))).toBe(
        'ERR_INVALID_ARG_TYPE',
      );
    }
    for (const value of [null, 5, []]) {
      expect(codeNow(() => waitOptions(value as object))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });
});

describe('bytes()', () => {
  test('BIND-006: gives a view of the same memory, whatever the view', () => {
    const memory = new ArrayBuffer(16);
    const views = [
      new Uint8Array(memory, 2, 5),
      new Int16Array(memory, 4, 3),
      new DataView(memory, 1, 7),
      new BigUint64Array(memory, 8, 1),
    ];
    for (const view of views) {
      const { buffer, byteOffset, byteLength } = bytes(view);
      expect(buffer).toBe(memory);
      expect([byteOffset, byteLength]).toEqual([view.byteOffset, view.byteLength]);
    }
    expect(String(bytes('é€'))).toBe('é€');
    expect(bytes(new Uint8Array(new SharedArrayBuffer(4), 1, 2)).length).toBe(2);
    expect(bytes(new Uint8Array(0)).length).toBe(0);
  });

  test('BIND-004: what is no view of memory is a TypeError', () => {
    for (const value of [
      undefined,
      null,
      5,
      {},
      [1],
      new ArrayBuffer(4),
      new SharedArrayBuffer(4),
    ]) {
      expect(codeNow(() => bytes(value as Uint8Array))).toBe('ERR_INVALID_ARG_TYPE');
    }
    for (const value of ['text', undefined, [1]]) {
      expect(codeNow(() => writableBytes(value, 'into'))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('BIND-006: a detached view is refused, an empty one is not', () => {
    for (const view of [
      new Uint8Array(8),
      new Uint8Array(new ArrayBuffer(8), 2, 3),
      new DataView(new ArrayBuffer(4)),
    ]) {
      structuredClone(null, { transfer: [view.buffer as ArrayBuffer] });
      expect(isDetached(view)).toBe(true);
      expect(codeNow(() => bytes(view))).toBe('ERR_INVALID_ARG_VALUE');
    }
    const empty = new Uint8Array(0);
    expect(isDetached(empty)).toBe(false);
    expect(isDetached(new Uint8Array(new ArrayBuffer(4), 4))).toBe(false);
    structuredClone(null, { transfer: [empty.buffer as ArrayBuffer] });
    expect(isDetached(empty)).toBe(true);
  });
});
