import { spawnSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createPipe, PipeReader } from '@octoipc/pipe';

import {
  FifoReader,
  FifoWriter,
  mkfifo,
  openReader,
  openReaderSync,
  openWriter,
  tryOpenWriter,
} from '@octoipc/fifo';
import { expect, test } from 'vitest';

import { fixture, shell, someThreadBlocks, start, until } from './peer.js';
import { freshPath } from './place.js';

function fifo(): string {
  const path = freshPath();
  mkfifo(path);
  return path;
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;
const threads = (): number => readdirSync('/proc/self/task').length;

test('FIFO-009: openReader() resolves at once though nobody writes, and starts no thread', async () => {
  const path = fifo();
  // Whoever uses it first starts libuv's pool.
  await stat(path);
  const before = threads();
  const reader = await openReader(path);
  expect(reader).toBeInstanceOf(FifoReader);
  expect(reader).toBeInstanceOf(PipeReader);
  expect(reader.path).toBe(path);
  expect(reader.tryRead()).toBeUndefined();
  expect(threads()).toBe(before);
  reader.close();
});

// What a writer is made of, each telling nothing until its standard input ends.
const WRITERS: Readonly<Record<string, (path: string) => ReturnType<typeof start>>> = {
  'sh(1)': (path) => shell('exec 3> "$0"; cat; echo sh >&3', path),
  'bash(1), appending': (path) => start('bash', ['-c', 'exec 3>>"$0"; cat; echo bash >&3', path]),
  'dd(1)': (path) => start('dd', [`of=${path}`, 'status=none']),
  'timeout(1)': (path) => shell('exec timeout 60 cat > "$0"', path),
  python3: (path) =>
    start('python3', [
      '-c',
      'import sys; f = open(sys.argv[1], "w"); sys.stdin.read(); f.write("python")',
      path,
    ]),
  'perl(1)': (path) =>
    start('perl', ['-e', 'open(F, ">", $ARGV[0]) or die; 1 while <STDIN>; print F "perl"', path]),
};

for (const [name, writer] of Object.entries(WRITERS)) {
  test(`FIFO-007: openReader({ waitForWriter: true }) waits for a writer, which need not write: ${name}`, async () => {
    const path = fifo();
    const opening = openReader(path, { waitForWriter: true });
    await until(someThreadBlocks);
    const peer = writer(path);
    const reader = await opening;
    expect(reader.tryRead()).toBeUndefined();
    expect(reader.ended).toBe(false);
    peer.release();
    await reader.readAll();
    expect(await peer.ended).toMatchObject({ code: 0 });
    reader.close();
  });
}

test('FIFO-007: openReader({ waitForWriter: true }) is done for a writer that came and left, whether persistent or not', async () => {
  for (const persistent of [false, true]) {
    const path = fifo();
    const opening = openReader(path, { waitForWriter: true, persistent });
    const peer = shell(': > "$0"', path);
    const reader = await opening;
    expect((await peer.ended).code).toBe(0);
    expect(reader.tryRead()).toBe(persistent ? undefined : null);
    reader.close();
  }
});

test('FIFO-007: openReader({ waitForWriter: true }) finds a writer that waits in openWriter() already', async () => {
  const path = fifo();
  const writing = openWriter(path);
  await until(someThreadBlocks);
  const reader = await openReader(path, { waitForWriter: true, timeout: 0 });
  const writer = await writing;
  writer.close();
  expect(reader.tryRead()).toBeNull();
  reader.close();
});

test('openReaderSync({ waitForWriter: true }) blocks its thread until a writer has come', async () => {
  const path = fifo();
  const peer = shell('exec 3> "$0"; cat', path);
  const reader = openReaderSync(path, { waitForWriter: true });
  expect(reader.tryRead()).toBeUndefined();
  peer.release();
  await peer.ended;
  expect(reader.readSync()).toBeNull();
  reader.close();
  expect(() => openReaderSync(path, { waitForWriter: true, timeout: 5 })).toThrow(
    expect.objectContaining({ code: 'ETIMEDOUT', target: path }),
  );
});

test('openReader({ waitForWriter: true }) that is aborted or timed out rejects, and leaves no thread, no descriptor and no reader', async () => {
  const path = fifo();
  await openReader(path, { waitForWriter: true, timeout: 1 }).catch(() => undefined);
  const before = { descriptors: descriptors(), threads: threads() };
  const controller = new AbortController();
  const aborted = openReader(path, { waitForWriter: true, signal: controller.signal });
  await until(someThreadBlocks);
  controller.abort('no longer');
  await expect(aborted).rejects.toBe('no longer');
  for (const timeout of [0, 5]) {
    await expect(openReader(path, { waitForWriter: true, timeout })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      syscall: 'open',
      target: path,
    });
  }
  expect({ descriptors: descriptors(), threads: threads() }).toEqual(before);
  expect(tryOpenWriter(path)).toBeNull();
});

test('FIFO-019: 64 pending reads and 64 pending opens of FIFOs leave libuv its pool: fs.stat() answers', async () => {
  const readers = await Promise.all(
    Array.from({ length: 64 }, () => openReader(freshPath(), { create: true })),
  );
  const reads = readers.map((reader) => reader.read().catch((reason: unknown) => reason));
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const opens = Array.from({ length: 64 }, () =>
    openReader(freshPath(), { create: true, waitForWriter: true, signal: controller.signal }).catch(
      (reason: unknown) => reason,
    ),
  );
  for (let i = 0; i < 16; i++) await stat('/');
  controller.abort('enough');
  for (const reader of readers) reader.close();
  expect(await Promise.all(opens)).toEqual(opens.map(() => 'enough'));
  for (const error of await Promise.all(reads)) expect(error).toMatchObject({ code: 'ERR_CLOSED' });
});

test('FIFO-024: a FIFO is close-on-exec: a child holds none of its descriptors', async () => {
  const path = fifo();
  const reader = await openReader(path);
  const writer = await openWriter(path);
  const held = spawnSync('/bin/sh', ['-c', 'readlink /proc/$$/fd/*']).stdout.toString();
  expect(held).not.toBe('');
  expect(held).not.toContain(path);
  for (const { fd } of [reader, writer]) {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!;
    expect(Number.parseInt(flags, 8) & 0o2000000).not.toBe(0);
  }
  writer.close();
  reader.close();
});

test('FIFO-011: FifoReader.fromFd() of a FIFO that is open for both never sees the end of file', async () => {
  const path = fifo();
  const reader = FifoReader.fromFd(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
  expect(reader.path).toBe(path);
  const writer = tryOpenWriter(path)!;
  await writer.write('bytes');
  writer.close();
  expect(String(await reader.read())).toBe('bytes');
  expect(reader.tryRead()).toBeUndefined();
  await expect(reader.read({ timeout: 5 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  reader.close();
});

test('fromFd() takes over FIFOs, and refuses pipes without a name, files and the wrong end', async () => {
  const path = fifo();
  const reader = FifoReader.fromFd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), {
    persistent: true,
  });
  const writer = FifoWriter.fromFd(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  await writer.write('x');
  expect(String(await reader.read())).toBe('x');
  expect([reader.path, writer.path, reader.persistent]).toEqual([path, path, true]);
  expect(() => FifoReader.fromFd(reader.fd)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  expect(() => FifoReader.fromFd(0x7ffffffe)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  expect(() => FifoWriter.fromFd(fd)).toThrow(expect.objectContaining({ code: 'EBADF' }));
  closeSync(fd);
  const pipe = createPipe();
  const file = openSync(process.execPath, 'r');
  for (const wrong of [pipe.reader.fd, file]) {
    expect(() => FifoReader.fromFd(wrong)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
  }
  closeSync(file);
  pipe.close();
  writer.close();
  reader.close();
});

test('release() gives the descriptor away in blocking mode', async () => {
  const path = fifo();
  const reader = await openReader(path);
  const fd = reader.release();
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))![1]!;
  expect(Number.parseInt(flags, 8) & constants.O_NONBLOCK).toBe(0);
  expect(reader.closed).toBe(true);
  closeSync(fd);
});

test('fromFd() in a worker leaves nobody else’s descriptor closed when the worker ends', async () => {
  const path = freshPath();
  mkfifo(path);
  const { code, stdout, stderr } = await fixture('adopting.mjs', path).ended;
  const told = '{"free":true,"same":true,"kept":true}\n';
  expect({ code, stdout: String(stdout), stderr }).toEqual({ code: 0, stdout: told, stderr: '' });
});
