import { expect, test } from 'vitest';

import { codeNow, codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { gone, sleepingIn } from '../../core/test/proc.js';
import { filled, isPending, opened } from './opened.js';

const peer = new URL('fixtures/peer.mjs', import.meta.url);
const PIPE_BUF = 4096;

test('PIPE-012: PipeWriter.write() rejects with EPIPE when the reader is gone, and the process lives', async () => {
  const { reader, writer } = opened();
  reader.close();
  const wanted = {
    name: 'IpcError',
    code: 'EPIPE',
    errno: -32,
    syscall: 'write',
    target: writer.fd,
  };
  expect(await failure(() => writer.write('x'))).toMatchObject(wanted);
  expect(await failure(() => writer.writeAtomic('x'))).toMatchObject(wanted);
  for (const call of ['tryWrite', 'writeSync', 'tryWriteAtomic', 'writeAtomicSync'] as const) {
    expect(codeNow(() => writer[call]('x'))).toBe('EPIPE');
  }
});

test('PIPE-013: a write that waits rejects with EPIPE when the last reader, another process, dies', async () => {
  const { reader, writer } = opened();
  const other = Peer.node(peer, ['hold'], { stdio: ['pipe', 'pipe', 'pipe', reader.fd] });
  await other.line();
  reader.close();
  const waiting = writer.write(Buffer.alloc(200_000));
  expect(await isPending(waiting)).toBe(true);
  other.child.kill('SIGKILL');
  expect(await failure(() => waiting)).toMatchObject({ code: 'EPIPE', bytesWritten: 65_536 });
});

test('PIPE-013: writeSync() blocked in another process gets EPIPE when we close', async () => {
  const { reader, writer } = opened();
  const other = Peer.node(peer, ['writeSync', 3, 200_000], {
    stdio: ['pipe', 'pipe', 'pipe', writer.fd],
  });
  writer.close();
  expect(await other.line()).toBe('writing');
  await sleepingIn('poll', other.pid);
  reader.close();
  const { code, stderr } = await other.ended;
  expect(code).toBe(1);
  expect(stderr).toContain("code: 'EPIPE'");
});

test('PIPE-016: up to PIPE_BUF bytes are all or nothing', () => {
  const { reader, writer } = filled();
  reader.readSync({ maxBytes: PIPE_BUF });
  writer.writeSync(Buffer.alloc(1));
  // Less than PIPE_BUF is free now.
  const before = reader.available;
  expect(writer.tryWriteAtomic(Buffer.alloc(PIPE_BUF))).toBe(false);
  expect(writer.tryWrite(Buffer.alloc(PIPE_BUF))).toBe(0);
  expect(reader.available).toBe(before);
});

test('PIPE-017: over PIPE_BUF bytes tryWrite() takes what fits, write() all', async () => {
  const { reader, writer } = filled();
  reader.readSync({ maxBytes: 2 * PIPE_BUF });
  expect(writer.tryWrite(Buffer.alloc(5 * PIPE_BUF, 'n'))).toBe(2 * PIPE_BUF);
  const waiting = writer.write(Buffer.alloc(100_000, 'w'));
  expect(await isPending(waiting)).toBe(true);
  expect((await reader.read({ maxBytes: 65_536 }))!.length).toBe(65_536);
  let left = 100_000;
  while (left > 0) left -= (await reader.read())!.length;
  await waiting;
});

test('PIPE-018: a full pipe takes nothing: tryWrite() is 0, the others wait', async () => {
  const { reader, writer } = filled();
  expect(writer.tryWrite('x')).toBe(0);
  expect(writer.tryWriteAtomic('x')).toBe(false);
  expect(await codeOf(() => writer.write('x', { timeout: 0 }))).toBe('ETIMEDOUT');
  expect(codeNow(() => writer.writeSync('x', { timeout: 0 }))).toBe('ETIMEDOUT');
  expect(codeNow(() => writer.writeAtomicSync('x', { timeout: 5 }))).toBe('ETIMEDOUT');
  expect(reader.available).toBe(writer.capacity);
});

test.each(['SIGUSR1', 'SIGSTOP'] as const)(
  'PIPE-019 BIND-003: writeSync() returns when all is taken, %s in the middle or not',
  async (signal) => {
    const { reader, writer } = opened();
    const total = 400_000;
    const other = Peer.node(peer, ['writeSync', 3, total], {
      stdio: ['pipe', 'pipe', 'pipe', writer.fd],
    });
    writer.close();
    expect(await other.line()).toBe('writing');
    let got = 0;
    for (let i = 0; i < 5; i++) {
      await sleepingIn('poll', other.pid);
      other.child.kill(signal);
      if (signal === 'SIGSTOP') other.child.kill('SIGCONT');
      got += (await reader.read({ maxBytes: 10_000 }))!.length;
    }
    expect(other.stdout).toBe('writing\n');
    got += (await reader.readAll()).length;
    expect(got).toBe(total);
    expect(await other.ended).toMatchObject({ code: 0, stdout: 'writing\nwritten\n' });
  },
);

test('PIPE-019: write() resolves only when all is taken', async () => {
  const { reader, writer } = opened();
  const waiting = writer.write(Buffer.alloc(70_000));
  expect(await isPending(waiting)).toBe(true);
  await reader.read({ maxBytes: 100 });
  expect(await isPending(waiting)).toBe(true);
  await reader.read();
  await waiting;
  expect(reader.available).toBe(70_000 - 65_536);
});

test('PIPE-020: writing nothing writes nothing, and makes no end of file', async () => {
  const { reader, writer } = opened();
  await writer.write('');
  await writer.writeAtomic(new Uint8Array(0));
  writer.writeSync('');
  expect([writer.tryWrite(''), writer.tryWriteAtomic('')]).toEqual([0, true]);
  expect([reader.available, reader.tryRead()]).toEqual([0, undefined]);
  await writer.write('x');
  expect(String(await reader.read())).toBe('x');
});

test('PIPE-030: PipeWriter.broken, and writable() resolves, once the last reader has closed', async () => {
  const { reader, writer } = filled();
  expect(writer.broken).toBe(false);
  const waiting = writer.writable();
  expect(await isPending(waiting)).toBe(true);
  reader.close();
  await waiting;
  expect(writer.broken).toBe(true);
});

test('PIPE-031: PipeWriter.writable() waits for a whole free slot of the pipe', async () => {
  const { reader, writer } = filled();
  const waiting = writer.writable();
  reader.readSync({ maxBytes: PIPE_BUF - 1 });
  expect(await isPending(waiting)).toBe(true);
  expect(await codeOf(() => writer.writable({ timeout: 0 }))).toBe('ETIMEDOUT');
  reader.readSync({ maxBytes: 1 });
  await waiting;
  expect(writer.tryWrite(Buffer.alloc(PIPE_BUF))).toBe(PIPE_BUF);
});

test('PIPE-041: a process blocked on a full pipe dies of SIGKILL at once', async () => {
  const { writer } = opened();
  const other = Peer.node(peer, ['writeSync', 3, 200_000], {
    stdio: ['pipe', 'pipe', 'pipe', writer.fd],
  });
  await other.line();
  await sleepingIn('poll', other.pid);
  other.child.kill('SIGKILL');
  await gone(other.pid);
  expect(await other.ended).toMatchObject({ code: null, signal: 'SIGKILL' });
});

test('a write that is cancelled half-way tells bytesWritten, one before its first byte does not', async () => {
  const { reader, writer } = opened();
  const controllers = [new AbortController(), new AbortController()] as const;
  const first = writer.write(Buffer.alloc(70_000), { signal: controllers[0].signal });
  const second = writer.write('behind', { signal: controllers[1].signal });
  const outcomes = Promise.allSettled([first, second]);
  const reasons = [new Error('stop'), new Error('stop as well')] as const;
  controllers[0].abort(reasons[0]);
  controllers[1].abort(reasons[1]);
  expect(await outcomes).toEqual(reasons.map((reason) => ({ status: 'rejected', reason })));
  expect(reasons[0]).toHaveProperty('bytesWritten', 65_536);
  expect(reasons[1]).not.toHaveProperty('bytesWritten');
  expect(reader.available).toBe(65_536);
  expect(await failure(() => writer.write('x', { timeout: 1 }))).not.toHaveProperty('bytesWritten');
  reader.readSync();
  expect(await failure(() => writer.write(Buffer.alloc(70_000), { timeout: 1 }))).toMatchObject({
    code: 'ETIMEDOUT',
    bytesWritten: 65_536,
  });
});

test('writes are served first come, first served, and others wait behind them', async () => {
  const { reader, writer } = filled();
  const waits = ['a', 'b', 'c'].map((letter) => writer.write(letter));
  reader.readSync();
  expect([writer.tryWrite('d'), codeNow(() => writer.writeSync('d'))]).toEqual([0, 'EBUSY']);
  await Promise.all(waits);
  expect(String(await reader.read())).toBe('abc');
});
