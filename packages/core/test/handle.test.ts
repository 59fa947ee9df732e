import { closeSync, openSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';

import { BLOCKED, codeOfErrno } from '@octoipc/core/kit';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf, failure } from './failure.js';
import { Handle, kit, pipe } from './kit-binding.js';
import { Peer } from './peer.js';

function ends() {
  const { reader, writer } = pipe();
  const pair = { reader: new Handle(reader), writer: new Handle(writer) };
  onTestFinished(() => {
    pair.reader.close();
    pair.writer.close();
  });
  return pair;
}

const read = (handle: Handle, options = {}) => {
  const { fd } = handle;
  const into = Buffer.alloc(16);
  return handle.wait('readable').run(
    () => {
      const count = kit.read(fd, into);
      if (codeOfErrno(count) === 'EAGAIN') return BLOCKED;
      return String(into.subarray(0, count));
    },
    options,
    { details: { syscall: 'read' } },
  );
};
const write = (handle: Handle, text: string) => kit.write(handle.fd, Buffer.from(text));

describe('FdHandle', () => {
  test('PIPE-008: a wait is served when the kernel says so', async () => {
    const { reader, writer } = ends();
    const waiting = [read(reader), read(reader)];
    expect(reader.waiters('readable')).toBe(2);
    write(writer, 'first');
    expect(await waiting[0]).toBe('first');
    write(writer, 'second');
    expect(await waiting[1]).toBe('second');
    expect(reader.waiters('readable')).toBe(0);
  });

  test('both directions of both ends, again and again', async () => {
    const { reader, writer } = ends();
    for (let i = 0; i < 200; i++) {
      const waiting = read(reader);
      await writer.wait('writable').run(() => void write(writer, `${i}`), {}, { details: {} });
      expect(await waiting).toBe(`${i}`);
    }
  });

  test('BIND-008: close() rejects what waits, once; then fd, release and wait are ERR_CLOSED', async () => {
    const { reader } = ends();
    const waits = [read(reader), read(reader, { timeout: 60_000 })];
    reader.close();
    for (const wait of waits) {
      expect(await failure(() => wait)).toMatchObject({ code: 'ERR_CLOSED', syscall: 'test' });
    }
    expect(reader.closed).toBe(true);
    expect(codeNow(() => reader.fd)).toBe('ERR_CLOSED');
    expect(codeNow(() => reader.release())).toBe('ERR_CLOSED');
    expect(await codeOf(() => read(reader))).toBe('ERR_CLOSED');
    reader.close();
    reader[Symbol.dispose]();
  });

  test('PIPE-038 BIND-008: closing again never closes the number that another has got', () => {
    const { reader } = ends();
    const { fd } = reader;
    reader.close();
    const other = openSync('/dev/null', 'r');
    onTestFinished(() => closeSync(other));
    expect(other).toBe(fd);
    reader.close();
    expect(codeNow(() => reader.release())).toBe('ERR_CLOSED');
    expect(readFileSync(`/proc/self/fdinfo/${other}`, 'utf8')).toContain('flags');
  });

  test('release() gives the descriptor away, open, and the handle is closed', async () => {
    const { reader, writer } = ends();
    const waiting = read(reader);
    const fd = reader.release();
    onTestFinished(() => closeSync(fd));
    expect(await codeOf(() => waiting)).toBe('ERR_CLOSED');
    expect(reader.closed).toBe(true);
    write(writer, 'still open');
    const into = Buffer.alloc(16);
    expect(kit.read(fd, into)).toBe(10);
    reader.close();
    expect(codeOfErrno(kit.close(fd))).toBe('EBADF');
  });

  test('a descriptor that was closed elsewhere rejects the wait: EBADF from epoll_ctl', async () => {
    const { reader } = ends();
    closeSync(reader.fd);
    const wait = () => reader.wait('readable').run(() => BLOCKED, {}, { details: {} });
    expect(await failure(wait)).toMatchObject({ code: 'EBADF', syscall: 'epoll_ctl' });
    expect(reader.waiters('readable')).toBe(0);
  });

  test('what epoll cannot watch rejects the wait: EPERM of a regular file', async () => {
    const file = openSync(import.meta.filename, 'r');
    expect(kit.adopt(file)).toBe(0);
    const handle = new Handle(file);
    onTestFinished(() => handle.close());
    const wait = () => handle.wait('readable').run(() => BLOCKED, {}, { details: {} });
    expect(await failure(wait)).toMatchObject({ code: 'EPERM', syscall: 'epoll_ctl' });
  });

  test('64 pending waits take no thread of the pool: fs.stat settles', async () => {
    const waits = Array.from({ length: 64 }, () => read(ends().reader).catch(() => {}));
    await stat('/');
    expect(waits.length).toBe(64);
  });

  test('edges that nobody waits for are counted out, and a later wait still hears', async () => {
    const { reader, writer } = ends();
    const first = read(reader);
    write(writer, 'a');
    await first;
    for (let i = 0; i < 50; i++) {
      write(writer, 'x');
      await new Promise((resolve) => setImmediate(resolve));
    }
    kit.read(reader.fd, Buffer.alloc(100));
    const later = read(reader);
    write(writer, 'later');
    expect(await later).toBe('later');
  });
});

describe('a process with handles', () => {
  const run = (...args: string[]) =>
    Peer.node(new URL('fixtures/handles.mjs', import.meta.url), args);

  test('an idle handle does not keep it alive, a pending wait does', async () => {
    expect((await run('idle').ended).stdout).toBe('idle\n');
    const peer = run('pending');
    expect(await peer.line()).toBe('waiting');
    peer.tell('go');
    expect((await peer.ended).stdout).toBe('waiting\ngot x\n');
  });

  test('unref() before or during a wait lets it end, ref() takes that back', async () => {
    expect((await run('unref-before').ended).stdout).toBe('waiting\n');
    expect((await run('unref-during').ended).stdout).toBe('waiting\n');
    expect((await run('unref-timeout').ended).stdout).toBe('waiting\n');
    const peer = run('ref-again');
    expect(await peer.line()).toBe('waiting');
    peer.tell('go');
    expect((await peer.ended).stdout).toBe('waiting\ngot x\n');
  });

  test('PIPE-046 BIND-010: dropped handles are closed by the collector, with one warning', async () => {
    const { code, stdout, stderr } = await run('dropped').ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'left 0\n' });
    expect(stderr.match(/IpcLeakWarning/g)).toEqual(['IpcLeakWarning']);
  });

  test('PIPE-046: what was closed, released or still waits is no leak', async () => {
    const { code, stdout, stderr } = await run('kept').ended;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'got x\n', stderr: '' });
  });
});

test('FdHandle.onClosed() refuses what is no function, so that close() can call all that it has', () => {
  const { reader } = ends();
  for (const wrong of [undefined, null, {}, 'told']) {
    expect(codeNow(() => reader.onClosed(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
  }
  let told = 0;
  reader.onClosed(() => (told += 1));
  reader.close();
  expect(told).toBe(1);
});
