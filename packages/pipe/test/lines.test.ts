import { createPipe } from '@octoipc/pipe';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';

import { codeNow, failure } from '../../core/test/failure.js';
import { opened } from './opened.js';

async function linesOf(...writes: (string | Uint8Array)[]): Promise<string[]> {
  using pipe = createPipe();
  const got: string[] = [];
  const reading = (async () => {
    for await (const line of pipe.reader.lines()) got.push(line);
  })();
  for (const write of writes) {
    await pipe.writer.write(write);
    // The reader has what was written before the next write.
    while (pipe.reader.available > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  pipe.writer.close();
  await reading;
  return got;
}

test('PipeReader.lines() are the lines, whatever the chunks, the last with or without a line feed', async () => {
  expect(await linesOf('one\ntwo\n')).toEqual(['one', 'two']);
  expect(await linesOf('o', 'ne\nt', 'wo')).toEqual(['one', 'two']);
  expect(await linesOf('\n\n', 'x')).toEqual(['', '', 'x']);
  expect(await linesOf()).toEqual([]);
});

test('a carriage return before a line feed belongs to it, even where a chunk ends between them', async () => {
  expect(await linesOf('one\r\ntwo\r', '\nth\rree\r')).toEqual(['one', 'two', 'th\rree']);
});

test('a character of several bytes may be cut anywhere', async () => {
  const bytes = Buffer.from('né€😀\nü');
  expect(await linesOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual([
    'né€😀',
    'ü',
  ]);
});

test('any lines over any cuts', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 20 }),
      fc.nat({ max: 40 }),
      async (lines, size) => {
        const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''));
        const cuts: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size + 1)
          cuts.push(bytes.subarray(at, at + size + 1));
        expect(await linesOf(...cuts)).toEqual(lines);
      },
    ),
    { numRuns: 30 },
  );
});

test('a line over maxLineLength is EMSGSIZE, though it never ends', async () => {
  const { reader, writer } = opened();
  await writer.write(`short\n${'x'.repeat(100)}`);
  const lines = reader.lines({ maxLineLength: 99 });
  expect(await lines.next()).toEqual({ done: false, value: 'short' });
  expect(await failure(() => lines.next())).toMatchObject({ code: 'EMSGSIZE', syscall: 'read' });
  const exact = opened();
  await exact.writer.write('12345\n');
  expect(await exact.reader.lines({ maxLineLength: 5 }).next()).toEqual({
    done: false,
    value: '12345',
  });
});

test('BIND-004: maxLineLength is a positive whole number', async () => {
  const { reader } = opened();
  for (const maxLineLength of [0, -1, 1.5, Number.NaN]) {
    const error = await failure(() => reader.lines({ maxLineLength }).next());
    expect(error.code).toBe('ERR_OUT_OF_RANGE');
  }
  const word = { maxLineLength: '5' as unknown as number };
  expect((await failure(() => reader.lines(word).next())).code).toBe('ERR_INVALID_ARG_TYPE');
});

test('what lines() had read ahead when the loop was left is read again', async () => {
  const { reader, writer } = opened();
  await writer.write('head: 1\n\nbody of\nany bytes');
  for await (const line of reader.lines()) if (line === '') break;
  expect(codeNow(() => reader.release())).toBe('EBUSY');
  expect(reader.available).toBe('body of\nany bytes'.length);
  await writer.write('!');
  writer.close();
  expect(String(await reader.readAll())).toBe('body of\nany bytes!');
});

test('a line that was begun when the loop was left is whole for the next one', async () => {
  const { reader, writer } = opened();
  const lines = reader.lines();
  const waiting = lines.next();
  await writer.write('one\ntw');
  expect(await waiting).toEqual({ done: false, value: 'one' });
  const begun = lines.next();
  await vi.waitUntil(() => reader.available === 0);
  await lines.return!();
  expect((await begun).done).toBe(true);
  await writer.write('o\n');
  expect(await reader.lines().next()).toEqual({ done: false, value: 'two' });
});

test('lines that are asked for at once come in their order', async () => {
  const { reader, writer } = opened();
  const lines = reader.lines();
  const waiting = Array.from({ length: 4 }, () => lines.next());
  for (const part of ['o', 'ne\nt', 'w', 'o\nthree\n', 'four']) {
    await writer.write(part);
    await vi.waitUntil(() => reader.available === 0);
  }
  writer.close();
  const all = await Promise.all(waiting);
  expect(all.map(({ value }) => value as string)).toEqual(['one', 'two', 'three', 'four']);
});
