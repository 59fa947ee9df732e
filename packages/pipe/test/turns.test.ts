import { closeSync, openSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isIpcError } from '@octoipc/core';
import {
  createPipe,
  pipeReceiver,
  pipeSender,
  spawnWithPipes,
  splice,
  spliceSync,
  trySplice,
  type Pipe,
} from '@octoipc/pipe';
import { describe, expect, onTestFinished, test } from 'vitest';

function opened(): Pipe {
  const pipe = createPipe();
  onTestFinished(() => pipe.close());
  return pipe;
}

function fileOf(content: Buffer): number {
  const folder = mkdtempSync(join(tmpdir(), 'octoipc-turns-'));
  writeFileSync(join(folder, 'file'), content);
  const fd = openSync(join(folder, 'file'), 'r');
  onTestFinished(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return fd;
}

describe('splice() and those who wait on a handle', () => {
  test('its bytes come after a write that waits, not into its middle', async () => {
    const { reader, writer } = opened();
    const written = writer.write(Buffer.alloc(150_000, 'w'));
    const spliced = splice(fileOf(Buffer.alloc(1000, 's')), writer);
    let all = Buffer.alloc(0);
    while (all.length < 151_000) all = Buffer.concat([all, (await reader.read())!]);
    await Promise.all([written, spliced]);
    expect(all.indexOf('s')).toBe(150_000);
    expect(all.lastIndexOf('w')).toBe(149_999);
  });

  test('trySplice() gives 0 and spliceSync() throws EBUSY while a write waits', async () => {
    const { reader, writer } = opened();
    const source = opened();
    source.writer.writeSync('x');
    const written = writer.write(Buffer.alloc(100_000));
    expect(trySplice(source.reader, writer)).toBe(0);
    expect(() => spliceSync(source.reader, writer)).toThrow(
      expect.toSatisfy((error) => isIpcError(error, 'EBUSY')),
    );
    for (let left = 100_000; left > 0;) left -= (await reader.read())!.length;
    await written;
    expect(trySplice(source.reader, writer)).toBe(1);
  });

  test('a read that waits is served before a splice that came later', async () => {
    const { reader, writer } = opened();
    const sink = opened();
    const read = reader.read();
    const spliced = splice(reader, sink.writer, { length: 3 });
    await writer.write('one');
    expect(String(await read)).toBe('one');
    await writer.write('two');
    expect(await spliced).toBe(3);
    expect(String(await sink.reader.read())).toBe('two');
  });
});

describe('PipeReader.readAll()', () => {
  test('what a call read that timed out, or was over maxBytes, is read again', async () => {
    const { reader, writer } = opened();
    writer.writeSync('abc');
    const late = await reader.readAll({ timeout: 5 }).catch((error: unknown) => error);
    expect(isIpcError(late, 'ETIMEDOUT')).toBe(true);
    expect(reader.available).toBe(3);
    const over = await reader.readAll({ maxBytes: 2 }).catch((error: unknown) => error);
    expect(isIpcError(over, 'EMSGSIZE')).toBe(true);
    expect(reader.isReadable).toBe(true);
    expect(String(reader.tryRead({ maxBytes: 1 }))).toBe('a');
    const into = Buffer.alloc(10);
    expect(String(reader.tryRead({ into }))).toBe('bc');
    writer.writeSync('d');
    writer.close();
    expect(String(await reader.readAll())).toBe('d');
  });
});

describe('one signal for several operations', () => {
  test('each tells its own bytesWritten', async () => {
    const { writer } = opened();
    const controller = new AbortController();
    const { signal } = controller;
    const half = writer.write(Buffer.alloc(100_000), { signal }).catch((error: unknown) => error);
    const none = writer.write(Buffer.alloc(10), { signal }).catch((error: unknown) => error);
    const reason = new Error('mine');
    controller.abort(reason);
    expect(await half).toBe(reason);
    expect(reason).toHaveProperty('bytesWritten', 65_536);
    expect(await none).toMatchObject({ code: 'ECANCELED', bytesWritten: 0, cause: reason });
  });

  test('a reason that has bytesWritten of its own keeps it, and is the cause', async () => {
    for (const reason of [
      { bytesWritten: 7 },
      new (class {
        get bytesWritten(): number {
          return 7;
        }
      })(),
    ]) {
      const { writer } = opened();
      const controller = new AbortController();
      const { signal } = controller;
      const half = writer.write(Buffer.alloc(100_000), { signal }).catch((error: unknown) => error);
      controller.abort(reason);
      expect(await half).toMatchObject({
        code: 'ECANCELED',
        bytesWritten: 65_536,
        cause: reason,
      });
      expect(reason.bytesWritten).toBe(7);
    }
  });

  test('a write that close() ends half-way tells it, too', async () => {
    const { writer } = opened();
    const half = writer.write(Buffer.alloc(100_000)).catch((error: unknown) => error);
    const none = writer.write(Buffer.alloc(10)).catch((error: unknown) => error);
    writer.close();
    expect(await half).toMatchObject({ code: 'ERR_CLOSED', bytesWritten: 65_536 });
    expect(await none).toMatchObject({ code: 'ERR_CLOSED' });
    expect(await none).not.toHaveProperty('bytesWritten');
  });
});

test('receiveMany() gives the messages before one that is too long; the next call tells of that', async () => {
  const { reader, writer } = opened();
  const receiver = pipeReceiver(reader, { maxMessageSize: 10 });
  writer.writeSync(Buffer.from([1, 0, 0, 0, 0x61, 11, 0, 0, 0]));
  expect((await receiver.receiveMany()).map(String)).toEqual(['a']);
  const error = await receiver.receive().catch((reason: unknown) => reason);
  expect(isIpcError(error, 'EMSGSIZE')).toBe(true);
});

test('PipeWriter.toWeb() closes its pipe when a write fails', async () => {
  const { reader, writer } = opened();
  const stream = writer.toWeb().getWriter();
  reader.close();
  await expect(stream.write('x')).rejects.toMatchObject({ code: 'EPIPE' });
  await expect(stream.closed).rejects.toMatchObject({ code: 'EPIPE' });
  expect(writer.closed).toBe(true);
});

test('a timer fires although a hundred pairs keep each other ready', async () => {
  const pairs = Array.from({ length: 100 }, () => [opened(), opened()] as const);
  const state = { over: false };
  const loops = pairs.flatMap(([ping, pong]) => [
    (async () => {
      ping.writer.tryWrite('x');
      while (!state.over) {
        await pong.reader.read();
        ping.writer.tryWrite('x');
      }
      ping.writer.close();
    })(),
    (async () => {
      while ((await ping.reader.read()) !== null) pong.writer.tryWrite('x');
      pong.writer.close();
    })(),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  state.over = true;
  await Promise.all(loops);
});

describe('a loop that never has to wait', () => {
  test('for await over a pipe that another process keeps full lets timers and immediates run', async () => {
    const { child, pipes } = spawnWithPipes('yes', [], { pipes: { 1: 'write' } });
    onTestFinished(() => {
      pipes[1].close();
      child.kill();
    });
    const ran = new Set<string>();
    setTimeout(() => ran.add('timer'), 1);
    setImmediate(() => ran.add('immediate'));
    let bytes = 0;
    for await (const chunk of pipes[1]) {
      bytes += chunk.length;
      if (ran.size === 2 || bytes > 2 ** 31) break;
    }
    expect(ran).toEqual(new Set(['immediate', 'timer']));
  });

  test('awaited sends that a reader takes away at once let immediates run', async () => {
    const { reader, writer } = opened();
    const sender = pipeSender(writer);
    const ran = new Set<string>();
    setImmediate(() => ran.add('immediate'));
    let sent = 0;
    while (ran.size === 0 && sent < 10_000) {
      await sender.send('x');
      reader.tryRead();
      sent += 1;
    }
    expect(ran.size).toBe(1);
  });
});
