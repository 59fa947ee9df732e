import { stat } from 'node:fs/promises';

import { expect, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { sleepingIn, until } from '../../core/test/proc.js';
import { isPending, opened, turns } from './opened.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);

test('PIPE-007: PipeReader.read() gives what is buffered, then null for ever, when the writer closed', async () => {
  const { reader, writer } = opened();
  await writer.write('left over');
  writer.close();
  expect(String(await reader.read({ maxBytes: 5 }))).toBe('left ');
  expect(String(await reader.read())).toBe('over');
  for (let i = 0; i < 3; i++) {
    expect(await reader.read()).toBe(null);
    expect(reader.tryRead()).toBe(null);
    expect(reader.readSync()).toBe(null);
  }
  expect((await reader.readAll()).length).toBe(0);
});

test('PIPE-008: PipeReader.read() waits for what another process writes', async () => {
  const { reader, writer } = opened();
  const other = Peer.node(peer, ['writeOnWord', 3], {
    stdio: ['pipe', 'pipe', 'pipe', writer.fd],
  });
  writer.close();
  await other.line();
  const waiting = reader.read();
  expect(await isPending(waiting)).toBe(true);
  other.tell('at last');
  expect(String(await waiting)).toBe('at last');
});

test('PIPE-008: PipeReader.readSync() blocks in the kernel until there is something', async () => {
  const { reader, writer } = opened();
  const other = Peer.node(peer, ['readSync', 3, 65536], {
    stdio: ['pipe', 'pipe', 'pipe', reader.fd],
  });
  reader.close();
  expect(await other.line()).toBe('reading');
  await sleepingIn('poll', other.pid);
  await writer.write(Buffer.alloc(1000, 2));
  writer.close();
  expect(await other.report()).toEqual({ bytes: 1000, sum: 2000 });
});

test('BIND-003: readSync() under a storm of signals ends when its time is over, and not by EINTR', async () => {
  const { reader } = opened();
  const other = Peer.node(peer, ['readTimeout', 3, 300], {
    stdio: ['pipe', 'pipe', 'pipe', reader.fd],
  });
  expect(await other.line()).toBe('reading');
  let signals = 0;
  await until(() => {
    if (other.child.kill('SIGUSR1')) signals += 1;
    return other.stdout.length > 'reading\n'.length || other.child.exitCode !== null;
  });
  expect(signals).toBeGreaterThan(10);
  expect(other.stdout).toBe('reading\nETIMEDOUT\n');
});

test('PIPE-009: PipeReader.tryRead() is undefined while a writer may come with more, not null', async () => {
  const { reader, writer } = opened();
  expect(reader.tryRead()).toBe(undefined);
  expect(await codeOf(() => reader.read({ timeout: 0 }))).toBe('ETIMEDOUT');
  expect(codeNow(() => reader.readSync({ timeout: 0 }))).toBe('ETIMEDOUT');
  await writer.write('x');
  expect(String(reader.tryRead())).toBe('x');
  expect(reader.tryRead()).toBe(undefined);
});

test('PIPE-010: no end of file while another process holds a write end', async () => {
  const { reader, writer } = opened();
  const holder = Peer.node(peer, ['hold'], { stdio: ['pipe', 'pipe', 'pipe', writer.fd] });
  expect(await holder.line()).toBe('holding');
  writer.close();
  const waiting = reader.read();
  expect(await isPending(waiting)).toBe(true);
  expect(reader.tryRead()).toBe(undefined);
  holder.tell('go');
  expect(await waiting).toBe(null);
});

test('PIPE-029: PipeReader.readable() waits for data or the end, and takes nothing', async () => {
  const { reader, writer } = opened();
  const waiting = reader.readable();
  expect(await isPending(waiting)).toBe(true);
  await writer.write('data');
  await waiting;
  expect(reader.available).toBe(4);
  writer.close();
  await reader.readable({ timeout: 0 });
  expect(String(await reader.read())).toBe('data');
  await reader.readable({ timeout: 0 });
  expect(await reader.read()).toBe(null);
});

test('PIPE-032: PipeReader.available is the number of bytes that are there', async () => {
  const { reader, writer } = opened();
  for (let count = 0; count < 5; count++) {
    expect(reader.available).toBe(count * 1000);
    await writer.write(Buffer.alloc(1000));
  }
  await reader.read({ maxBytes: 1 });
  expect(reader.available).toBe(4999);
});

test('PipeReader.read() takes no more than maxBytes, and into the memory that it is given', async () => {
  const { reader, writer } = opened();
  await writer.write('0123456789');
  const memory = Buffer.alloc(8, '.');
  const got = await reader.read({ into: memory.subarray(2, 6) });
  expect([String(got), String(memory)]).toEqual(['0123', '..0123..']);
  expect(got!.buffer).toBe(memory.buffer);
  expect(String(await reader.read({ into: memory, maxBytes: 2 }))).toBe('45');
  expect(String(reader.readSync({ maxBytes: 3 }))).toBe('678');
  expect(String(reader.tryRead({ maxBytes: 100 }))).toBe('9');
});

test('BIND-007: what was read is the reader’s own: later reads do not touch it', async () => {
  const { reader, writer } = opened();
  const kept: Buffer[] = [];
  for (let i = 0; i < 1000; i++) {
    writer.tryWrite(Buffer.alloc(300, i % 256));
    kept.push((await reader.read())!);
  }
  expect(kept.every((chunk, i) => chunk.every((byte) => byte === i % 256))).toBe(true);
});

test('an abort rejects with its reason, a timeout with ETIMEDOUT, and no byte is taken', async () => {
  const { reader, writer } = opened();
  const controller = new AbortController();
  const aborted = reader.read({ signal: controller.signal });
  const late = reader.read({ timeout: 5 });
  controller.abort('never mind');
  expect(await aborted.catch((reason: unknown) => reason)).toBe('never mind');
  expect(await failure(() => late)).toMatchObject({
    name: 'IpcError',
    code: 'ETIMEDOUT',
    syscall: 'read',
    target: reader.fd,
  });
  await writer.write('all of it');
  expect(String(await reader.read())).toBe('all of it');
  expect(
    await codeOf(() =>
      reader.read({ signal: AbortSignal.abort(Object.assign(new Error(), { code: 'MINE' })) }),
    ),
  ).toBe('MINE');
});

test('reads are served first come, first served, and tryRead() does not overtake', async () => {
  const { reader, writer } = opened();
  const waits = Array.from({ length: 5 }, () => reader.read({ maxBytes: 1 }));
  writer.tryWrite('abcdef');
  expect(reader.tryRead()).toBe(undefined);
  expect(codeNow(() => reader.readSync())).toBe('EBUSY');
  expect((await Promise.all(waits)).map(String)).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(String(reader.tryRead())).toBe('f');
});

test('64 pending reads hold neither the loop nor the pool: fs.stat and timers answer', async () => {
  const pipes = Array.from({ length: 64 }, () => opened());
  const waits = pipes.map(({ reader }) => reader.read());
  await stat('/');
  await turns(1);
  for (const { writer } of pipes) writer.tryWrite('x');
  expect((await Promise.all(waits)).every((chunk) => String(chunk) === 'x')).toBe(true);
});
