import { isIpcError } from '@octoipc/core';
import { mkfifo, openReader, openReaderSync, openWriter, tryOpenWriter } from '@octoipc/fifo';
import { createPipe, splice, spliceSync, trySplice } from '@octoipc/pipe';
import { expect, test, vi } from 'vitest';

import { fixture, shell } from './peer.js';
import { freshPath } from './place.js';

function fifo(): string {
  const path = freshPath();
  mkfifo(path);
  return path;
}

test('FIFO-012: read() before the first writer waits: that nobody has come is no end of file', async () => {
  const path = fifo();
  const reader = await openReader(path);
  expect(reader.tryRead()).toBeUndefined();
  expect([reader.ended, reader.isReadable]).toEqual([false, false]);
  await expect(reader.read({ timeout: 1 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect(() => reader.readSync({ timeout: 1 })).toThrow(
    expect.objectContaining({ code: 'ETIMEDOUT', target: path }),
  );
  const read = reader.read();
  const writer = await openWriter(path);
  await writer.write('first');
  expect(String(await read)).toBe('first');
  writer.close();
  expect(await reader.read()).toBeNull();
  reader.close();
});

test('FIFO-012: read() that waits is null when a writer opens and leaves without a byte', async () => {
  const path = fifo();
  const reader = await openReader(path);
  const read = reader.read();
  const peer = shell(': > "$0"', path);
  expect(await read).toBeNull();
  expect((await peer.ended).code).toBe(0);
  reader.close();
});

test('FIFO-013: read() is null once the writers have left, and gives what the next one writes', async () => {
  const path = fifo();
  const reader = await openReader(path);
  for (const word of ['one', 'two', 'three']) {
    await shell('printf %s "$1" > "$0"', path, word).ended;
    expect(String(await reader.read())).toBe(word);
    expect([await reader.read(), await reader.read(), reader.ended]).toEqual([null, null, true]);
  }
  const writer = await openWriter(path);
  expect(reader.ended).toBe(false);
  expect(reader.tryRead()).toBeUndefined();
  writer.close();
  expect(reader.tryRead()).toBeNull();
  reader.close();
});

test('FIFO-014: read() gives what the last writer has left behind, then null', async () => {
  const path = fifo();
  const reader = await openReader(path);
  await shell('printf before > "$0"', path).ended;
  expect(reader.available).toBe(6);
  expect(String(await reader.readAll())).toBe('before');
  reader.close();
});

test('FIFO-015: bytes that nobody has read are lost when both ends are closed', async () => {
  const path = fifo();
  const first = await openReader(path);
  await shell('printf lost > "$0"', path).ended;
  first.close();
  const second = await openReader(path);
  expect(second.tryRead()).toBeUndefined();
  second.close();
});

test('FIFO-013: a persistent reader outlives its writers, kept waiting by none of them', async () => {
  const path = fifo();
  const reader = await openReader(path, { persistent: true });
  for (let i = 0; i < 20; i++) {
    const read = reader.read();
    await shell('printf %s "$1" > "$0"', path, String(i)).ended;
    expect(String(await read)).toBe(String(i));
    expect(reader.tryRead()).toBeUndefined();
    expect([reader.ended, reader.isReadable]).toEqual([false, false]);
  }
  await expect(reader.read({ timeout: 5 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  await expect(reader.readable({ timeout: 5 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  reader.close();
});

test('FIFO-013: a persistent reader gets what a writer writes that takes turns with itself', async () => {
  const path = fifo();
  const reader = await openReader(path, { persistent: true });
  const peer = shell('for i in $(seq 200); do echo $i > "$0"; done', path);
  const lines = reader.lines();
  for (let i = 1; i <= 200; i++) expect((await lines.next()).value).toBe(String(i));
  await peer.ended;
  reader.close();
});

test('a persistent reader waits without a busy loop: it looks once for each thing that happens', async () => {
  const path = fifo();
  const reader = await openReader(path, { persistent: true });
  await shell(': > "$0"', path).ended;
  const looks = vi.spyOn(reader, 'ended', 'get');
  const read = reader.read();
  for (let i = 0; i < 5; i++) await shell(': > "$0"', path).ended;
  await shell('printf x > "$0"', path).ended;
  expect(String(await read)).toBe('x');
  // One at the start, and for each of six writers one when it has come and one when it has left, which are one event
  // where the loop is late. A busy loop looks thousands of times meanwhile.
  expect(looks.mock.calls.length).toBeLessThanOrEqual(20);
  reader.close();
});

test('readSync() of a persistent reader blocks between two writers, and uses next to no processor', async () => {
  const path = fifo();
  const reader = openReaderSync(path, { persistent: true });
  await shell(': > "$0"', path).ended;
  const peer = shell('sleep 0.3; : > "$0"; printf slow > "$0"', path);
  const looks = vi.spyOn(reader, 'ended', 'get');
  expect(String(reader.readSync())).toBe('slow');
  // It looks ten times a second, so that a worker can be terminated, and for each writer.
  expect(looks.mock.calls.length).toBeLessThan(100);
  await peer.ended;
  expect(() => reader.readSync({ timeout: 20 })).toThrow(
    expect.objectContaining({ code: 'ETIMEDOUT' }),
  );
  reader.close();
});

test('FIFO-011: a persistent reader holds no write end: another reader gets its end of file, and a writer its EPIPE', async () => {
  const path = fifo();
  const lasting = await openReader(path, { persistent: true });
  const other = await openReader(path);
  const writer = await openWriter(path);
  writer.close();
  expect(await other.read()).toBeNull();
  const late = tryOpenWriter(path)!;
  lasting.close();
  other.close();
  await expect(late.write('x')).rejects.toMatchObject({ code: 'EPIPE' });
  late.close();
});

test('close() ends a read that waits for a writer, now or next', async () => {
  for (const persistent of [false, true]) {
    const reader = await openReader(freshPath(), { create: true, persistent });
    const read = reader.read().catch((reason: unknown) => reason);
    reader.close();
    expect(isIpcError(await read, 'ERR_CLOSED')).toBe(true);
    expect(() => reader.ended).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    expect(() => reader.isReadable).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  }
});

test('splice() from a FIFO waits for its first writer, and from a persistent reader for the next one', async () => {
  const path = fifo();
  const reader = await openReader(path);
  const sink = createPipe();
  expect(trySplice(reader, sink.writer)).toBe(0);
  await expect(splice(reader, sink.writer, { timeout: 1 })).rejects.toMatchObject({
    code: 'ETIMEDOUT',
  });
  const moving = splice(reader, sink.writer);
  await shell('printf moved > "$0"', path).ended;
  expect(await moving).toBe(5);
  reader.close();

  const lasting = await openReader(path, { persistent: true });
  const all = splice(lasting, sink.writer, { length: 6 });
  await shell('printf abc > "$0"', path).ended;
  await shell('printf def > "$0"', path).ended;
  expect(await all).toBe(6);
  expect(() => spliceSync(lasting, sink.writer, { timeout: 5 })).toThrow(
    expect.objectContaining({ code: 'ETIMEDOUT' }),
  );
  expect(String(await sink.reader.read())).toBe('movedabcdef');
  lasting.close();
  sink.close();
});

test('a process with an idle FIFO ends, whether it was used or not', async () => {
  const path = fifo();
  expect(await fixture('idle.mjs', path).ended).toMatchObject({ code: 0, stderr: '' });
});

test('a process ends that aborts a stream over a persistent reader, though both ends are open', async () => {
  const { code, stdout, stderr } = await fixture('idle.mjs', fifo(), 'aborted').ended;
  expect([code, String(stdout), stderr]).toEqual([0, 'AbortError\n', '']);
});

test('a persistent reader is readable as long as there is what readAll() gave back', async () => {
  const path = freshPath();
  const reader = await openReader(path, { create: true, persistent: true });
  const writer = await openWriter(path);
  await writer.write('abc');
  const controller = new AbortController();
  const all = reader.readAll({ signal: controller.signal });
  await vi.waitUntil(() => reader.available === 0);
  controller.abort();
  await expect(all).rejects.toThrow('aborted');
  expect(reader.isReadable).toBe(true);
  await reader.readable({ timeout: 0 });
  reader.readableSync({ timeout: 0 });
  expect(String(await reader.read())).toBe('abc');
  expect(reader.isReadable).toBe(false);
  writer.close();
  reader.close();
});
