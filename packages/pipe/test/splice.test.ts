import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

import {
  splice,
  spliceSync,
  tee,
  teeSync,
  trySplice,
  tryTee,
  type PipeReader,
} from '@octoipc/pipe';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { positionOf } from '../../core/test/proc.js';
import { isPending, opened } from './opened.js';
import { blockingSocketOf } from './fixtures/blocking.mjs';
import { socketOf } from './stdio.js';

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 247));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'octoipc-splice-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function open(path: string, flags = 'r'): number {
  const fd = openSync(path, flags);
  onTestFinished(() => closeSync(fd));
  return fd;
}

function file(content: Buffer | string = bytes): string {
  const path = join(folder(), 'file');
  writeFileSync(path, content);
  return path;
}

test('PIPE-036: splice() between two that are no pipes is EINVAL', async () => {
  const [from, to] = [open(file()), open(join(folder(), 'to'), 'w')];
  const error = await failure(() => splice(from, to, { length: 10 }));
  expect(error).toMatchObject({ name: 'IpcError', code: 'EINVAL', syscall: 'splice' });
  expect(codeNow(() => trySplice(from, to, { length: 10 }))).toBe('EINVAL');
  expect(codeNow(() => spliceSync(from, to, { length: 10 }))).toBe('EINVAL');
});

test('PIPE-036: tee() of a pipe to itself, or of what is no pipe, is EINVAL', async () => {
  const { reader, writer } = opened();
  await writer.write('x');
  for (const [from, to] of [
    [reader, writer],
    [open(file()), writer],
    [reader, open('/dev/null', 'w')],
  ] as const) {
    expect(await codeOf(() => tee(from, to, { length: 1 }))).toBe('EINVAL');
    const error = await failure(() => tryTee(from, to));
    expect(error).toMatchObject({ code: 'EINVAL', syscall: 'tee' });
    expect(error.hint).toBeTruthy();
  }
});

test('PIPE-036: splice() to what was opened for appending is EINVAL', async () => {
  const { reader, writer } = opened();
  await writer.write('x');
  const log = open(join(folder(), 'log'), 'a');
  expect(await codeOf(() => splice(reader, log, { length: 1 }))).toBe('EINVAL');
  expect(codeNow(() => trySplice(reader, log))).toBe('EINVAL');
  expect(String(await reader.read())).toBe('x');
});

test('PIPE-037: no offset is ever passed: a file’s own position moves on, a pipe has none', async () => {
  const { reader, writer } = opened();
  const source = open(file());
  expect(await splice(source, writer, { length: 1000 })).toBe(1000);
  expect(positionOf(source)).toBe(1000);
  expect(trySplice(source, writer, { length: 500 })).toBe(500);
  expect(positionOf(source)).toBe(1500);
  const path = join(folder(), 'copy');
  const copy = open(path, 'w');
  expect(await splice(reader, copy, { length: 1200 })).toBe(1200);
  expect(positionOf(copy)).toBe(1200);
  expect(readFileSync(path).equals(bytes.subarray(0, 1200))).toBe(true);
  expect((await reader.read())!.equals(bytes.subarray(1200, 1500))).toBe(true);
});

test('splice() moves a whole file into a pipe, and what comes out of a pipe into a file', async () => {
  const { reader, writer } = opened();
  const path = join(folder(), 'copy');
  const into = splice(open(file()), writer).then((count) => (writer.close(), count));
  expect(await splice(reader, open(path, 'w'))).toBe(bytes.length);
  expect(await into).toBe(bytes.length);
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test('splice() joins two pipes: it waits for bytes and for room, and ends with the source', async () => {
  const [from, to] = [opened(), opened()];
  const joined = splice(from.reader, to.writer);
  expect(await isPending(joined)).toBe(true);
  const writing = from.writer.write(bytes).then(() => from.writer.close());
  const reading = to.reader.readAll();
  expect(await joined).toBe(bytes.length);
  await writing;
  to.writer.close();
  expect((await reading).equals(bytes)).toBe(true);
});

test('splice() with a socket of another process', async () => {
  const { reader, writer } = opened();
  const other = Peer.start('cat', []);
  const socket = socketOf(other, 'stdin');
  await writer.write('into the socket');
  expect(await splice(reader, socket, { length: 15 })).toBe(15);
  other.child.stdin!.end();
  expect((await other.ended).stdout).toBe('into the socket');
});

/** How many threads this process has. */
const threads = (): number => readdirSync('/proc/self/task').length;

test.each([
  [
    'the event loop with a socket in non-blocking mode',
    (other: Peer) => socketOf(other, 'stdin'),
    0,
  ],
  [
    'a thread with a socket in blocking mode',
    (other: Peer) => blockingSocketOf(other.child, 'stdin'),
    1,
  ],
])('splice() runs on %s', async (_, ends, more) => {
  const { reader, writer } = opened();
  const socket = ends(Peer.start('sh', ['-c', 'exec cat >&0']));
  const before = threads();
  const back = splice(socket, writer, { length: bytes.length });
  expect(await isPending(back)).toBe(true);
  expect(threads() - before).toBe(more);
  const source = opened();
  const there = splice(source.reader, socket, { length: bytes.length });
  const [, read] = await Promise.all([
    source.writer.write(bytes),
    readExactly(reader, bytes.length),
  ]);
  expect(await there).toBe(bytes.length);
  expect(await back).toBe(bytes.length);
  expect(read.equals(bytes)).toBe(true);
});

async function readExactly(reader: PipeReader, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let left = length; left > 0; left -= parts.at(-1)!.length)
    parts.push((await reader.read())!);
  return Buffer.concat(parts);
}

test('splice() waits for the room of a socket that nobody reads, and loses nothing', async () => {
  const { reader, writer } = opened();
  const other = Peer.start('sh', ['-c', 'read go <&3; exec sha1sum'], {
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
  });
  const socket = socketOf(other, 'stdin');
  writer.tryWrite(bytes.subarray(0, 65_536));
  expect(trySplice(reader, socket)).toBe(65_536);
  const rest = bytes.subarray(65_536);
  const source = opened();
  const writing = source.writer.write(rest).then(() => source.writer.close());
  const moving = splice(source.reader, socket, { timeout: 200 });
  const error = await failure(() => moving);
  expect(error).toMatchObject({ code: 'ETIMEDOUT' });
  const more = splice(source.reader, socket);
  (other.child.stdio[3] as Writable).end('go\n');
  expect(error.bytesWritten! + (await more)).toBe(rest.length);
  await writing;
  other.child.stdin!.end();
  const digest = createHash('sha1').update(bytes).digest('hex');
  expect((await other.ended).stdout).toContain(digest);
});

test('length bounds a splice to the byte; 0 moves nothing', async () => {
  const [from, to] = [opened(), opened()];
  await from.writer.write('0123456789');
  expect(await splice(from.reader, to.writer, { length: 0 })).toBe(0);
  expect(await splice(from.reader, to.writer, { length: 4 })).toBe(4);
  expect(String(await to.reader.read())).toBe('0123');
  expect(spliceSync(from.reader, to.writer, { length: 3 })).toBe(3);
  expect(String(await to.reader.read())).toBe('456');
  expect(trySplice(from.reader, to.writer)).toBe(3);
  expect(trySplice(from.reader, to.writer)).toBe(0);
});

test('tee() copies, and the source keeps its bytes', async () => {
  const [from, to] = [opened(), opened()];
  const waiting = tee(from.reader, to.writer);
  expect(await isPending(waiting)).toBe(true);
  await from.writer.write('twice');
  expect(await waiting).toBe(5);
  expect(String(await to.reader.read())).toBe('twice');
  expect(tryTee(from.reader, to.writer, { length: 3 })).toBe(3);
  expect(teeSync(from.reader, to.writer, { length: 1 })).toBe(1);
  expect(String(await to.reader.read())).toBe('twit');
  expect(String(await from.reader.read())).toBe('twice');
  expect(tryTee(from.reader, to.writer)).toBe(0);
  from.writer.close();
  expect(await tee(from.reader, to.writer)).toBe(0);
});

test('BIND-004 BIND-008: bad ends and lengths are refused before any call', async () => {
  const { reader, writer } = opened();
  for (const length of [-1, 1.5, Number.NaN, 2 ** 53]) {
    expect(await codeOf(() => splice(reader, writer, { length }))).toBe('ERR_OUT_OF_RANGE');
    expect(codeNow(() => tryTee(reader, writer, { length }))).toBe('ERR_OUT_OF_RANGE');
  }
  for (const fd of [-1, 2 ** 31, 1.5, Number.NaN]) {
    expect(await codeOf(() => splice(fd, writer))).toBe('ERR_OUT_OF_RANGE');
    expect(codeNow(() => trySplice(reader, fd))).toBe('ERR_OUT_OF_RANGE');
  }
  for (const end of ['0', null, undefined, {}, { fd: '1' }, 5n] as unknown as number[]) {
    expect(await codeOf(() => splice(end, writer))).toBe('ERR_INVALID_ARG_TYPE');
    expect(codeNow(() => teeSync(reader, end))).toBe('ERR_INVALID_ARG_TYPE');
  }
  const closed = opened();
  closed.close();
  expect(await codeOf(() => splice(closed.reader, writer))).toBe('ERR_CLOSED');
  expect(codeNow(() => trySplice(reader, closed.writer))).toBe('ERR_CLOSED');
  const number = openSync('/dev/null', 'r');
  closeSync(number);
  expect(await codeOf(() => splice(number, writer))).toBe('EBADF');
  expect(codeNow(() => trySplice(number, writer))).toBe('EBADF');
});
