import { createReadStream } from 'node:fs';
import { finished, pipeline } from 'node:stream/promises';
import { Writable } from 'node:stream';

import { expect, test, vi } from 'vitest';

import { codeNow, codeOf } from '../../core/test/failure.js';
import { isPending, opened, turns } from './opened.js';

const numbered = (length: number) => Buffer.from(Array.from({ length }, (_, i) => i % 249));

test('PIPE-044: a paused reader stops the writer: write() is false, and drain comes when it resumes', async () => {
  const { reader, writer } = opened();
  const [readable, writable] = [reader.toReadable(), writer.toWritable()];
  const drained = vi.fn();
  writable.on('drain', drained);
  let sent = 0;
  while (writable.write(Buffer.alloc(10_000, 'd'))) sent += 10_000;
  sent += 10_000;
  await turns();
  expect(drained).not.toHaveBeenCalled();
  // What is buffered: the pipe, and the streams up to their marks.
  expect(sent).toBeLessThanOrEqual(65_536 + writable.writableHighWaterMark + 10_000);
  expect(readable.readableLength).toBeLessThanOrEqual(readable.readableHighWaterMark);
  let got = 0;
  readable.on('data', (chunk: Buffer) => (got += chunk.length));
  await vi.waitFor(() => expect(drained).toHaveBeenCalledTimes(1));
  writable.end();
  await finished(readable);
  expect(got).toBe(sent);
});

test('PIPE-044: memory stays bounded however much goes through', async () => {
  const { reader, writer } = opened();
  const before = process.memoryUsage().arrayBuffers;
  let [got, most] = [0, 0];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      got += chunk.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers);
      done();
    },
  });
  const one = Buffer.alloc(1024 * 1024, 'm');
  const writable = writer.toWritable();
  const feeding = (async () => {
    for (let i = 0; i < 200; i++) {
      if (!writable.write(one)) await new Promise((resolve) => writable.once('drain', resolve));
    }
    writable.end();
  })();
  await Promise.all([feeding, pipeline(reader.toReadable(), sink)]);
  expect(got).toBe(200 * one.length);
  expect(most - before).toBeLessThan(100 * 1024 * 1024);
});

test('PIPE-045: a reader that goes mid-write: each callback is called once with an error, nothing unhandled', async () => {
  const { reader, writer } = opened();
  const writable = writer.toWritable();
  const errors = vi.fn();
  writable.on('error', errors);
  const callbacks = Array.from({ length: 5 }, () => vi.fn());
  for (const callback of callbacks) writable.write(Buffer.alloc(60_000), callback);
  await turns();
  reader.close();
  await finished(writable).catch(() => {});
  await turns();
  expect(callbacks[0]).toHaveBeenCalledExactlyOnceWith(null);
  for (const callback of callbacks.slice(1)) {
    expect(callback).toHaveBeenCalledTimes(1);
    const { code } = callback.mock.calls[0]![0] as { code: string };
    expect(['EPIPE', 'ERR_STREAM_DESTROYED']).toContain(code);
  }
  expect(errors).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'EPIPE' }));
  expect([writer.closed, writable.destroyed]).toEqual([true, true]);
});

test('PIPE-045: destroying a stream with a write pending closes the writer and calls each callback once', async () => {
  const { reader, writer } = opened();
  const writable = writer.toWritable();
  const callbacks = Array.from({ length: 3 }, () => vi.fn());
  for (const callback of callbacks) writable.write(Buffer.alloc(50_000), callback);
  await turns();
  writable.destroy();
  await finished(writable).catch(() => {});
  await turns();
  expect(callbacks.map((callback) => callback.mock.calls.length)).toEqual([1, 1, 1]);
  expect(writer.closed).toBe(true);
  expect((await reader.readAll()).length).toBeGreaterThan(50_000);
});

test('PIPE-045: destroying a reading stream closes the reader, with a read pending and without an error', async () => {
  const { reader, writer } = opened();
  const readable = reader.toReadable();
  const errors = vi.fn();
  readable.on('error', errors).resume();
  await turns();
  readable.destroy();
  await turns();
  expect([reader.closed, readable.destroyed, errors.mock.calls.length]).toEqual([true, true, 0]);
  expect(codeNow(() => writer.tryWrite('x'))).toBe('EPIPE');
});

test('toReadable() and toWritable() carry a file through, and close both ends', async () => {
  const { reader, writer } = opened();
  const bytes = numbered(500_000);
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  const writable = writer.toWritable();
  for (let at = 0; at < bytes.length; at += 70_001) writable.write(bytes.subarray(at, at + 70_001));
  writable.end();
  await pipeline(reader.toReadable(), sink);
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  expect([reader.closed, writer.closed]).toEqual([true, true]);
  const file = opened();
  const [, text] = await Promise.all([
    pipeline(createReadStream(import.meta.filename), file.writer.toWritable()),
    file.reader.readAll(),
  ]);
  expect(String(text)).toContain('carry a file through');
});

test('strings and corked writes of a stream are one after the other', async () => {
  const { reader, writer } = opened();
  const writable = writer.toWritable();
  writable.cork();
  for (const word of ['é', '€', '😀']) writable.write(word);
  writable.write('6869', 'hex');
  writable.uncork();
  writable.end('!');
  expect(String(await reader.readAll())).toBe('é€😀hi!');
});

test('web streams carry bytes both ways, by default and by BYOB readers, and end', async () => {
  const { reader, writer } = opened();
  const bytes = numbered(300_000);
  const sink = writer.toWeb().getWriter();
  const writing = sink.write(bytes).then(() => sink.close());
  const source = reader.toWeb();
  const byob = source.getReader({ mode: 'byob' });
  const first = await byob.read(new Uint8Array(1000));
  expect(first.value!.length).toBe(1000);
  byob.releaseLock();
  const chunks = [Buffer.from(first.value!)];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  await writing;
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  expect([reader.closed, writer.closed]).toEqual([true, true]);
});

test('PIPE-044: a web stream waits for its reader, and memory does not grow', async () => {
  const { reader, writer } = opened();
  const sink = writer.toWeb().getWriter();
  const write = sink.write(Buffer.alloc(200_000));
  expect(await isPending(write)).toBe(true);
  expect(sink.desiredSize).toBeLessThanOrEqual(0);
  expect((await reader.read())!.length + (await reader.read())!.length).toBeGreaterThan(65_536);
  await sink.abort();
  expect(writer.closed).toBe(true);
  await codeOf(() => write).catch(() => {});
});

test('a web stream errors with EPIPE when the reader is gone; cancelling one closes the reader', async () => {
  const { reader, writer } = opened();
  await reader.toWeb().cancel();
  expect(reader.closed).toBe(true);
  expect(await codeOf(() => writer.toWeb().getWriter().write('x'))).toBe('EPIPE');
});

test('BIND-008: a stream over a closed end is refused', () => {
  const pipe = opened();
  pipe.close();
  expect(codeNow(() => pipe.reader.toReadable())).toBe('ERR_CLOSED');
  expect(codeNow(() => pipe.reader.toWeb())).toBe('ERR_CLOSED');
  expect(codeNow(() => pipe.writer.toWritable())).toBe('ERR_CLOSED');
  expect(codeNow(() => pipe.writer.toWeb())).toBe('ERR_CLOSED');
});
