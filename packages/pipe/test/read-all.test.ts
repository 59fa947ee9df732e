import { expect, test, vi } from 'vitest';

import { failure } from '../../core/test/failure.js';
import { opened } from './opened.js';

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
