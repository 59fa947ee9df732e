import { setMaxListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';

import { isIpcError } from '@octoipc/core';
import {
  FifoWriter,
  mkfifo,
  openReader,
  openWriter,
  openWriterSync,
  tryOpenWriter,
} from '@octoipc/fifo';
import { expect, onTestFinished, test } from 'vitest';

import { blocksInOpen, fixture, shell, someThreadBlocks, start, until } from './peer.js';
import { folder, freshPath } from './place.js';

function fifo(): string {
  const path = freshPath();
  mkfifo(path);
  return path;
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;
const threads = (): number => readdirSync('/proc/self/task').length;

test('FIFO-010: tryOpenWriter() is null while nobody reads, and a writer as soon as somebody does', async () => {
  const path = fifo();
  expect(tryOpenWriter(path)).toBeNull();
  const reader = await openReader(path);
  const writer = tryOpenWriter(path);
  expect(writer).toBeInstanceOf(FifoWriter);
  expect(writer?.path).toBe(path);
  reader.close();
  writer?.close();
  expect(tryOpenWriter(path)).toBeNull();
});

test('openWriter({ timeout: 0 }) rejects with ETIMEDOUT where nobody reads, and starts no thread', async () => {
  const path = fifo();
  // Whoever uses it first starts libuv's pool.
  await stat(path);
  const before = threads();
  const error: unknown = await openWriter(path, { timeout: 0 }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'ETIMEDOUT', syscall: 'open', target: path });
  expect(() => openWriterSync(path, { timeout: 0 })).toThrow(
    expect.objectContaining({ code: 'ETIMEDOUT' }),
  );
  expect(threads()).toBe(before);
});

// What a reader is made of: those that sleep in open(2), and those that do not.
const READERS: Readonly<Record<string, (path: string) => ReturnType<typeof start>>> = {
  'cat(1)': (path) => start('cat', [path]),
  'dd(1)': (path) => start('dd', [`if=${path}`, 'status=none']),
  'timeout(1)': (path) => start('timeout', ['60', 'cat', path]),
  'sh(1)': (path) => shell('exec cat < "$0"', path),
  'bash(1), open for both': (path) =>
    start('bash', ['-c', 'exec 3<>"$0"; read -r line <&3; echo "$line"', path]),
  'python3, non-blocking': (path) => start('python3', ['-c', PYTHON, path]),
  'perl(1)': (path) => start('perl', ['-e', 'open(F, "<", $ARGV[0]) or die; print <F>', path]),
};

const PYTHON = `
import os, select, sys
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
select.select([fd], [], [])
os.write(1, os.read(fd, 100))
`;

for (const [name, reader] of Object.entries(READERS)) {
  test(`FIFO-008: openWriter() waits for a reader: ${name}`, async () => {
    const path = fifo();
    const opening = openWriter(path);
    await until(someThreadBlocks);
    const peer = reader(path);
    const writer = await opening;
    await writer.write('to whom it may concern\n');
    writer.close();
    expect(String((await peer.ended).stdout)).toBe('to whom it may concern\n');
  });
}

test('FIFO-008: openWriter() opens at once for a reader that sleeps in open(2) already', async () => {
  const path = fifo();
  const peer = start('cat', [path]);
  await until(() => blocksInOpen(peer.pid));
  const writer = tryOpenWriter(path);
  await writer!.write('late');
  writer!.close();
  expect(String((await peer.ended).stdout)).toBe('late');
});

test('FIFO-008: openWriter() and openReader() of one process find each other', async () => {
  const path = fifo();
  const opening = openWriter(path);
  const reader = await openReader(path);
  const writer = await opening;
  expect(writer.tryWrite('here')).toBe(4);
  expect(String(reader.tryRead())).toBe('here');
  writer.close();
  reader.close();
});

test('openWriterSync() blocks its thread until somebody reads', async () => {
  const path = fifo();
  const peer = shell('exec cat "$0"', path);
  const writer = openWriterSync(path);
  writer.writeSync('blocked');
  writer.close();
  expect(String((await peer.ended).stdout)).toBe('blocked');
  expect(() => openWriterSync(path, { timeout: 5 })).toThrow(
    expect.objectContaining({ code: 'ETIMEDOUT' }),
  );
});

test('FIFO-019: 64 pending openWriter() leave libuv its pool: fs.stat() answers', async () => {
  const path = fifo();
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const before = threads();
  const waits = Array.from({ length: 64 }, () =>
    openWriter(path, { signal: controller.signal }).catch((reason: unknown) => reason),
  );
  await until(() => threads() >= before + 64);
  for (let i = 0; i < 16; i++) await stat(path);
  controller.abort('enough');
  expect(await Promise.all(waits)).toEqual(Array.from({ length: 64 }, () => 'enough'));
  await until(() => threads() <= before + 4);
});

test('openWriter() that is aborted or timed out rejects, and leaves no thread, no descriptor and no writer', async () => {
  const path = fifo();
  await openWriter(path, { timeout: 1 }).catch(() => undefined);
  const before = { descriptors: descriptors(), threads: threads() };
  const controller = new AbortController();
  const aborted = openWriter(path, { signal: controller.signal });
  await until(someThreadBlocks);
  const reason = new Error('no longer');
  controller.abort(reason);
  await expect(aborted).rejects.toBe(reason);
  await expect(openWriter(path, { timeout: 5 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  expect({ descriptors: descriptors(), threads: threads() }).toEqual(before);
  const reader = await openReader(path);
  expect(reader.tryRead()).toBeUndefined();
  reader.close();
});

test('openWriter() with a signal that is aborted already makes and opens nothing', async () => {
  const path = freshPath();
  await expect(openWriter(path, { create: true, signal: AbortSignal.abort('never') })).rejects.toBe(
    'never',
  );
  expect(readdirSync(folder())).not.toContain(path.slice(folder().length + 1));
});

test('FIFO-018: openWriter() goes on waiting when signals come, handled or stopping', async () => {
  const path = fifo();
  let handled = 0;
  const count = (): void => void (handled += 1);
  process.on('SIGUSR2', count);
  onTestFinished(() => void process.off('SIGUSR2', count));
  const opening = openWriter(path);
  await until(someThreadBlocks);
  process.kill(process.pid, 'SIGUSR2');
  await until(() => handled === 1);
  const stopper = shell('kill -STOP "$1"; kill -CONT "$1"', path, String(process.pid));
  await stopper.ended;
  const reader = await openReader(path);
  const writer = await opening;
  writer.close();
  reader.close();
});

test('FIFO-016: write() rejects with EPIPE, and no signal comes, once the reader has left; a new reader makes it usable', async () => {
  const path = fifo();
  const first = await openReader(path);
  const writer = await openWriter(path);
  first.close();
  const error: unknown = await writer.write('x').catch((reason: unknown) => reason);
  expect(isIpcError(error, 'EPIPE')).toBe(true);
  expect(error).toMatchObject({ syscall: 'write', target: path });
  expect(writer.broken).toBe(true);
  const second = await openReader(path);
  await writer.write('again');
  expect(String(await second.read())).toBe('again');
  writer.close();
  second.close();
});

test('FIFO-016: a waiting write() rejects with EPIPE when the reader leaves, whatever it is', async () => {
  const path = fifo();
  const peer = start('cat', [path]);
  const writer = await openWriter(path);
  peer.kill('SIGSTOP');
  const waiting = writer.write(Buffer.alloc(1 << 20)).catch((reason: unknown) => reason);
  peer.kill('SIGKILL');
  expect(await waiting).toMatchObject({ code: 'EPIPE' });
  writer.close();
});

test('a worker that is terminated while openWriter() waits leaves no thread and no descriptor', async () => {
  const path = fifo();
  const peer = fixture('workers.mjs', path, '10');
  expect(await peer.line()).toBe('{"descriptors":0,"threads":0}');
  peer.release();
  expect((await peer.ended).code).toBe(0);
});

test('a process ends while openWriter() waits when it is told to, and lives for it otherwise', async () => {
  const path = fifo();
  const waiting = fixture('waiting.mjs', path);
  expect(await waiting.line()).toBe('waiting');
  const reader = await openReader(path);
  expect(await waiting.line()).toBe('opened');
  expect((await waiting.ended).code).toBe(0);
  reader.close();
  const told = fixture('waiting.mjs', path, 'exit');
  expect((await told.ended).code).toBe(3);
  const killed = fixture('waiting.mjs', path);
  expect(await killed.line()).toBe('waiting');
  killed.kill('SIGTERM');
  expect((await killed.ended).signal).toBe('SIGTERM');
});
