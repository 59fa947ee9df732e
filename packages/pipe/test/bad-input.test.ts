import { PipeReader, PipeWriter } from '@octoipc/pipe';
import { describe, expect, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { pipeEnds } from '../../core/test/proc.js';
import { opened } from './opened.js';

const NO_NUMBERS = ['5', null, 5n, {}, [5], true] as unknown as number[];

/** What to pass as a number, and what it must give. */
const cases = (numbers: number[]) =>
  [
    ...numbers.map((value) => [value, 'ERR_OUT_OF_RANGE'] as const),
    ...NO_NUMBERS.map((value) => [value, 'ERR_INVALID_ARG_TYPE'] as const),
  ] as const;

describe('BIND-004: numbers are refused before any call, and nothing is taken', () => {
  test('maxBytes', async () => {
    const { reader, writer } = opened();
    await writer.write('kept');
    for (const [maxBytes, code] of cases([0, -1, 1.5, Number.NaN, Infinity, 2 ** 53])) {
      expect(await codeOf(() => reader.read({ maxBytes }))).toBe(code);
      expect(codeNow(() => reader.tryRead({ maxBytes }))).toBe(code);
      expect(codeNow(() => reader.readSync({ maxBytes }))).toBe(code);
    }
    for (const [maxBytes, code] of cases([-1, 1.5, Number.NaN, 2 ** 53])) {
      expect(await codeOf(() => reader.readAll({ maxBytes }))).toBe(code);
    }
    expect(String(reader.tryRead())).toBe('kept');
  });

  test('timeout', async () => {
    const { reader, writer } = opened();
    await writer.write('kept');
    for (const [timeout, code] of cases([-1, -0.1, Number.NaN, -Infinity])) {
      for (const call of ['read', 'readAll', 'readable'] as const) {
        expect(await codeOf(() => reader[call]({ timeout }))).toBe(code);
      }
      expect(codeNow(() => reader.readSync({ timeout }))).toBe(code);
      for (const call of ['write', 'writeAtomic'] as const) {
        expect(await codeOf(() => writer[call]('x', { timeout }))).toBe(code);
      }
      expect(await codeOf(() => writer.writable({ timeout }))).toBe(code);
      expect(codeNow(() => writer.writeSync('x', { timeout }))).toBe(code);
      expect(codeNow(() => writer.writeAtomicSync('x', { timeout }))).toBe(code);
    }
    expect(String(reader.tryRead())).toBe('kept');
  });

  test('options and signals of a wrong type', async () => {
    const { reader, writer } = opened();
    for (const options of [null, 5, 'x', [], true] as unknown as object[]) {
      expect(await codeOf(() => reader.read(options))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeNow(() => reader.tryRead(options))).toBe('ERR_INVALID_ARG_TYPE');
      expect(await codeOf(() => writer.write('x', options))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeNow(() => writer.writeSync('x', options))).toBe('ERR_INVALID_ARG_TYPE');
    }
    for (const bad of [null, 'abort', {}] as unknown as AbortSignal[]) {
      expect(await codeOf(() => reader.read({ signal: bad }))).toBe('ERR_INVALID_ARG_TYPE');
      expect(await codeOf(() => writer.write('x', { signal: bad }))).toBe('ERR_INVALID_ARG_TYPE');
    }
    expect(reader.available).toBe(0);
  });
});

test('BIND-008: every method after close() is ERR_CLOSED, with the call’s name, and makes no call', async () => {
  const { reader, writer } = opened();
  const { fd } = reader;
  reader.close();
  writer.close();
  // Whatever now has the numbers must not be touched.
  const other = opened();
  expect([other.reader.fd, other.writer.fd]).toContain(fd);
  for (const call of ['read', 'readAll', 'readable'] as const) {
    expect(await failure(() => reader[call]())).toMatchObject({ code: 'ERR_CLOSED' });
  }
  expect(await codeOf(() => reader.lines().next())).toBe('ERR_CLOSED');
  expect(await codeOf(() => reader[Symbol.asyncIterator]().next())).toBe('ERR_CLOSED');
  for (const call of ['tryRead', 'readSync', 'toReadable', 'toWeb', 'release'] as const) {
    expect(codeNow(() => reader[call]())).toBe('ERR_CLOSED');
  }
  for (const property of ['fd', 'available', 'capacity'] as const) {
    expect(codeNow(() => reader[property])).toBe('ERR_CLOSED');
  }
  for (const call of ['write', 'writeAtomic'] as const) {
    expect(await codeOf(() => writer[call]('x'))).toBe('ERR_CLOSED');
  }
  expect(await codeOf(() => writer.writable())).toBe('ERR_CLOSED');
  for (const call of ['tryWrite', 'writeSync', 'tryWriteAtomic', 'writeAtomicSync'] as const) {
    expect(codeNow(() => writer[call]('x'))).toBe('ERR_CLOSED');
  }
  for (const property of ['fd', 'broken', 'capacity'] as const) {
    expect(codeNow(() => writer[property])).toBe('ERR_CLOSED');
  }
  expect(codeNow(() => (reader.capacity = 4096))).toBe('ERR_CLOSED');
  expect(codeNow(() => writer.release())).toBe('ERR_CLOSED');
  expect([reader.closed, writer.closed, reader.ref(), writer.unref()]).toEqual([
    true,
    true,
    reader,
    writer,
  ]);
  expect(other.reader.available).toBe(0);
});

test('BIND-009: a method on another object than its own is a TypeError, never a crash', async () => {
  const { reader, writer } = opened();
  const nobody = [
    {},
    Object.create(PipeReader.prototype) as object,
    Object.create(PipeWriter.prototype) as object,
    { fd: reader.fd, closed: false },
  ];
  const ends = pipeEnds();
  for (const stranger of [...nobody, writer] as unknown as PipeReader[]) {
    const { read, tryRead, readSync } = PipeReader.prototype;
    expect(() => tryRead.call(stranger)).toThrow(TypeError);
    expect(() => readSync.call(stranger)).toThrow(TypeError);
    await expect(read.call(stranger)).rejects.toThrow(TypeError);
  }
  for (const stranger of [...nobody, reader] as unknown as PipeWriter[]) {
    const { write, tryWrite, writeSync, writeAtomicSync } = PipeWriter.prototype;
    expect(() => tryWrite.call(stranger, 'x')).toThrow(TypeError);
    expect(() => writeSync.call(stranger, 'x')).toThrow(TypeError);
    expect(() => writeAtomicSync.call(stranger, 'x')).toThrow(TypeError);
    await expect(write.call(stranger, 'x')).rejects.toThrow(TypeError);
  }
  for (const stranger of nobody as PipeReader[]) {
    const { close, release } = PipeReader.prototype;
    expect(() => close.call(stranger)).toThrow(TypeError);
    expect(() => release.call(stranger)).toThrow(TypeError);
  }
  expect(pipeEnds()).toBe(ends);
});
