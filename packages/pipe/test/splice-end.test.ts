import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { splice, tee, trySplice } from '@octoipc/pipe';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { pipeEnds, until } from '../../core/test/proc.js';
import { filled, isPending, opened } from './opened.js';
import { blockingSocketOf } from './fixtures/blocking.mjs';
import { socketOf } from './stdio.js';

test('EPIPE when nobody reads the destination any more, at once or while it waits', async () => {
  const zero = openSync('/dev/zero', 'r');
  onTestFinished(() => closeSync(zero));
  const [from, to] = [filled(), filled()];
  const waiting = splice(from.reader, to.writer);
  expect(await isPending(waiting)).toBe(true);
  to.reader.close();
  expect(await failure(() => waiting)).toMatchObject({ code: 'EPIPE', bytesWritten: 0 });
  expect(codeNow(() => trySplice(from.reader, to.writer))).toBe('EPIPE');
  expect(await codeOf(() => tee(from.reader, to.writer))).toBe('EPIPE');
  expect(await failure(() => splice(zero, to.writer))).toMatchObject({
    code: 'EPIPE',
    bytesWritten: 0,
  });
  expect(from.reader.available).toBe(65_536);
});

test('a transfer on a thread tells with its error how many bytes had moved', async () => {
  const zero = openSync('/dev/zero', 'r');
  onTestFinished(() => closeSync(zero));
  const { reader, writer } = opened();
  const waiting = splice(zero, writer);
  await until(() => reader.available === 65_536);
  reader.close();
  expect(await failure(() => waiting)).toMatchObject({ code: 'EPIPE', bytesWritten: 65_536 });
});

test.each(['abort', 'timeout'])(
  'cancelled by %s it tells how many bytes had moved',
  async (how) => {
    const [from, to] = [opened(), opened()];
    await from.writer.write(Buffer.alloc(50_000));
    const controller = new AbortController();
    const options = how === 'abort' ? { signal: controller.signal } : { timeout: 20 };
    const waiting = splice(from.reader, to.writer, options);
    expect((await to.reader.read())!.length).toBe(50_000);
    controller.abort(new Error('mine'));
    const error = await failure(() => waiting);
    expect(error).toMatchObject(how === 'abort' ? { message: 'mine' } : { code: 'ETIMEDOUT' });
    expect(error.bytesWritten).toBe(50_000);
  },
);

test.each([
  ['on the event loop', socketOf],
  ['on a thread', (other: Peer) => blockingSocketOf(other.child)],
])('cancelled %s: a socket that gives nothing, 8 of them and the pool is free', async (_, ends) => {
  const before = pipeEnds();
  const other = Peer.start('sleep', ['60']);
  const socket = ends(other);
  const controller = new AbortController();
  const pipes = Array.from({ length: 8 }, () => opened());
  const waits = pipes.map(({ writer }) => splice(socket, writer, { signal: controller.signal }));
  await stat('/');
  const outcomes = Promise.allSettled(waits);
  const reason = new Error('mine');
  controller.abort(reason);
  for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason });
  expect((reason as { bytesWritten?: number }).bytesWritten ?? 0).toBe(0);
  pipes.forEach((pipe) => pipe.close());
  expect(pipeEnds()).toBe(before);
});

test('BIND-008: closing a handle ends a splice that waits on it', async () => {
  const [from, to] = [opened(), opened()];
  const waiting = splice(from.reader, to.writer);
  expect(await isPending(waiting)).toBe(true);
  from.reader.close();
  expect(await codeOf(() => waiting)).toBe('ERR_CLOSED');
});

test.each([
  ['splice', splice],
  ['tee', tee],
])('BIND-008: closing the destination ends a %s that waits for its source', async (_, move) => {
  const [from, to] = [opened(), opened()];
  const waiting = move(from.reader, to.writer);
  expect(await isPending(waiting)).toBe(true);
  to.writer.close();
  expect(await codeOf(() => waiting)).toBe('ERR_CLOSED');
  await from.writer.write('kept');
  expect(String(await from.reader.read())).toBe('kept');
});

test('BIND-008: closing a handle ends a splice on a thread, and its end of file comes', async () => {
  const { reader, writer } = opened();
  const waiting = splice(blockingSocketOf(Peer.start('sleep', ['60']).child), writer);
  expect(await isPending(waiting)).toBe(true);
  writer.close();
  expect(await codeOf(() => waiting)).toBe('ERR_CLOSED');
  expect(await reader.read()).toBe(null);
});

test('aborted on a thread it tells once how many bytes had moved, on the reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-splice-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = openSync(join(folder, 'file'), 'w');
  onTestFinished(() => closeSync(file));
  const { reader, writer } = opened();
  await writer.write(Buffer.alloc(1000));
  const controller = new AbortController();
  const waiting = failure(() => splice(reader, file, { signal: controller.signal }));
  await until(() => fstatSync(file).size === 1000);
  const reason = new Error('mine');
  controller.abort(reason);
  const error = await waiting;
  expect(error).toBe(reason);
  expect(error.bytesWritten).toBe(1000);
  const closing = failure(() => splice(reader, file));
  await writer.write(Buffer.alloc(500));
  await until(() => fstatSync(file).size === 1500);
  reader.close();
  expect(await closing).toMatchObject({ code: 'ERR_CLOSED', bytesWritten: 500 });
});
