import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

import { createPipe } from '@octoipc/pipe';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeOf, failure } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { pipeEnds } from '../../core/test/proc.js';
import { isPending, opened, turns } from './opened.js';

const openFiles = Number(
  /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))![1],
);

const run = (scene: string, ...args: unknown[]) =>
  Peer.node(new URL('fixtures/lifecycle.mjs', import.meta.url), [scene, ...args]);

describe('close()', () => {
  test('BIND-008: rejects every pending call with ERR_CLOSED, and closes at once', async () => {
    const before = pipeEnds();
    const { reader, writer } = createPipe();
    writer.writeSync(Buffer.alloc(65_536));
    const writes = [writer.write('a'), writer.writeAtomic('b'), writer.writable()];
    writer.close();
    for (const write of writes) {
      expect(await failure(() => write)).toMatchObject({ name: 'IpcError', code: 'ERR_CLOSED' });
    }
    reader.readSync();
    const other = createPipe();
    const reads = [other.reader.read(), other.reader.readAll(), other.reader.readable()];
    other.reader.close();
    for (const read of reads) expect(await codeOf(() => read)).toBe('ERR_CLOSED');
    other.close();
    reader.close();
    expect(pipeEnds()).toBe(before);
  });

  test('PIPE-038: in the callback of its own read, and of its own write, it is no crash', async () => {
    const { reader, writer } = opened();
    const reads = Array.from({ length: 5 }, () => reader.read({ maxBytes: 1 }));
    void reads[0]!.then(() => reader.close());
    const outcomes = Promise.allSettled(reads);
    writer.writeSync('abcde');
    const settled = await outcomes;
    expect(settled[0]!.status).toBe('fulfilled');
    expect(reader.closed).toBe(true);
    expect(await codeOf(() => writer.write('x'))).toBe('EPIPE');
  });

  test('PIPE-038: with a read pending, a number that is used again hears nothing of it', async () => {
    for (let i = 0; i < 50; i++) {
      const pipe = createPipe();
      const reading = pipe.reader.read().catch(() => 'closed');
      pipe.writer.writeSync('x');
      pipe.close();
      const next = createPipe();
      const waiting = next.reader.read();
      expect(await reading).toBe('closed');
      await turns(2);
      next.writer.writeSync('y');
      expect(String(await waiting)).toBe('y');
      next.close();
    }
  });

  test('an end that others wait on elsewhere is not closed with its duplicate', async () => {
    const { reader, writer } = opened();
    const fd = openSync(`/proc/self/fd/${writer.fd}`, 'w');
    onTestFinished(() => fstatSync(fd) && closeSync(fd));
    writer.close();
    expect(await isPending(reader.read())).toBe(true);
  });
});

describe('the process', () => {
  test('an idle pipe does not keep it alive, nor does a wait that is unref’ed', async () => {
    expect(await run('idle').ended).toMatchObject({ code: 0, stdout: 'idle\n', stderr: '' });
    expect(await run('unref').ended).toMatchObject({ code: 0, stdout: 'unref\n', stderr: '' });
  });

  test.each([
    ['exit', 3],
    ['throw', 1],
  ])('BIND-012: ends at once by %s, with waits of all kinds pending', async (how, code) => {
    const ended = await run(how).ended;
    expect(ended).toMatchObject({ code, signal: null, stdout: 'blocked\n' });
  });

  test('PIPE-041 BIND-012: dies of a signal at once, with waits of all kinds pending', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const peer = run('killed');
      expect(await peer.line()).toBe('blocked');
      peer.child.kill(signal);
      expect(await peer.ended).toMatchObject({ code: null, signal });
    }
  });
});

describe('the collector', () => {
  test('PIPE-046: ends that were dropped unclosed are closed, with one warning', async () => {
    const { stdout, stderr } = await run('dropped', 1000).ended;
    expect(JSON.parse(stdout)).toEqual({ left: 0, bounded: true, maps: true });
    expect(stderr.match(/IpcLeakWarning/g)?.length).toBe(1);
  });

  test('PIPE-046 BIND-010: 20,000 pipes that were dropped unclosed leave no descriptor', async () => {
    const { code, stdout } = await run('dropped', 20_000).ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ left: 0, bounded: true, maps: true });
  });

  // 60,000 descriptors under a limit of far fewer: some thousands is what a collection needs.
  const few = openFiles < 8192;
  if (few)
    console.log(`skipped: at ${openFiles} descriptors the collector is not in time by itself`);
  test.skipIf(few)(
    'BIND-010: the collector comes by itself, before the limit on descriptors does',
    async () => {
      const { code, stdout, stderr } = await run('droppedUnasked', 30_000).ended;
      expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '{"left":0}\n' });
    },
  );
});

test('1,000 pending reads on 1,000 pipes hold neither the loop nor the pool, and make no threads', async () => {
  const { stdout, stderr } = await run('pending', 1000).ended;
  expect({ stdout, stderr }).toEqual({ stdout: '{"right":1000,"more":0}\n', stderr: '' });
});
