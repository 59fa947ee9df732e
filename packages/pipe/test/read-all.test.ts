import { PipeReader, type Pipe } from '@octoipc/pipe';
import { expect, test, vi } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { isPending, opened } from './opened.js';

test('PipeReader.readAll() reads to the end; over maxBytes is EMSGSIZE', async () => {
  const { reader, writer } = opened();
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 253));
  const writing = writer.write(bytes).then(() => writer.close());
  expect((await reader.readAll({ maxBytes: 300_000 })).equals(bytes)).toBe(true);
  await writing;
  const second = opened();
  await second.writer.write('12345');
  second.writer.close();
  expect(await failure(() => second.reader.readAll({ maxBytes: 4 }))).toMatchObject({
    code: 'EMSGSIZE',
    syscall: 'read',
  });
});

test('iteration gives chunks until the end, and leaving it early leaves the reader open', async () => {
  const { reader, writer } = opened();
  await writer.write('one');
  for await (const chunk of reader) {
    expect(String(chunk)).toBe('one');
    break;
  }
  expect(reader.closed).toBe(false);
  await writer.write('two');
  writer.close();
  const rest: string[] = [];
  for await (const chunk of reader) rest.push(String(chunk));
  expect(rest).toEqual(['two']);
});

test('what an aborted readAll() gave back is there for a read after many that had to wait', async () => {
  const { reader, writer } = opened();
  for (let turn = 0; turn < 20; turn++) {
    const next = reader.read();
    setImmediate(() => writer.tryWrite('turn'));
    expect(String(await next)).toBe('turn');
  }
  const controller = new AbortController();
  const all = reader.readAll({ signal: controller.signal });
  writer.tryWrite('kept');
  await vi.waitUntil(() => reader.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
  expect(String(await reader.read())).toBe('kept');
});

/** Aborted once all that was written is read, and given back. */
async function aborted({ reader }: Pipe): Promise<void> {
  const controller = new AbortController();
  const all = reader.readAll({ signal: controller.signal });
  await vi.waitUntil(() => reader.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
}

test('a readAll() that fails gives back what it took before what it left', async () => {
  const pipe = opened({ capacity: 1 << 20 });
  const { reader, writer } = pipe;
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
  await writer.write(bytes);
  await aborted(pipe);
  for (const maxBytes of [0, 100_000, 1]) {
    expect(await codeOf(() => reader.readAll({ maxBytes }))).toBe('EMSGSIZE');
    expect(reader.available).toBe(200_000);
  }
  writer.close();
  expect((await reader.readAll()).equals(bytes)).toBe(true);
});

test('two of readAll() that are aborted at once lose nothing', async () => {
  const { reader, writer } = opened();
  const controller = new AbortController();
  const { signal } = controller;
  const both = [reader.readAll({ signal }), reader.readAll({ signal })];
  for (const word of ['one', 'two']) {
    writer.tryWrite(word);
    await vi.waitUntil(() => reader.available === 0);
  }
  controller.abort();
  for (const one of both) await expect(one).rejects.toThrow('aborted');
  expect(reader.available).toBe(6);
});

test('what readAll() gives back wakes a read that waits already', async () => {
  const { reader, writer } = opened();
  const controller = new AbortController();
  const all = reader.readAll({ signal: controller.signal });
  const next = reader.read();
  writer.tryWrite('abc');
  await vi.waitUntil(() => reader.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
  expect(await isPending(next)).toBe(false);
  expect(String(await next)).toBe('abc');
});

test('release() is EBUSY as long as there is what readAll() gave back', async () => {
  const pipe = opened();
  const { reader, writer } = pipe;
  writer.tryWrite('abc');
  await aborted(pipe);
  expect(codeNow(() => reader.release())).toBe('EBUSY');
  expect(String(await reader.read())).toBe('abc');
  const again = PipeReader.fromFd(reader.release());
  writer.tryWrite('def');
  expect(String(await again.read())).toBe('def');
  again.close();
});

test('readAll() of what never runs dry is over when its time is', async () => {
  const { reader } = opened();
  // As many writers do; and without a turn of the event loop in between.
  Object.defineProperty(reader, 'read', { value: () => Promise.resolve(Buffer.from('more')) });
  expect(await codeOf(() => reader.readAll({ timeout: 1 }))).toBe('ETIMEDOUT');
});
