import { frameReceiver, frameSender } from '@octoipc/core';
import { describe, expect, test } from 'vitest';

import { codeOf, failure } from './failure.js';
import { ScriptedReader, ScriptedWriter } from './scripted-stream.js';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** What a receiver makes of the bytes that were written. */
async function received(writer: ScriptedWriter): Promise<string[]> {
  const all: string[] = [];
  for await (const one of frameReceiver(new ScriptedReader([writer.written])))
    all.push(String(one));
  return all;
}

describe('a send that is cancelled', () => {
  test('before its first byte: nothing of it is written, the others are', async () => {
    const writer = new ScriptedWriter([0]);
    writer.full = true;
    const sender = frameSender(writer);
    const controller = new AbortController();
    const first = sender.send('a'.repeat(3000));
    const second = sender.send('b'.repeat(3000), { signal: controller.signal });
    const third = sender.send('c'.repeat(3000));
    const reason = new Error('not this one');
    controller.abort(reason);
    expect(await failure(() => second)).toBe(reason);
    expect(reason).not.toHaveProperty('bytesWritten');
    writer.full = false;
    await Promise.all([first, third]);
    expect(await received(writer)).toEqual(['a'.repeat(3000), 'c'.repeat(3000)]);
  });

  test.each(['abort', 'timeout'])(
    'after its first byte, by %s: it rejects with bytesWritten, and the stream stays in step',
    async (how) => {
      const writer = new ScriptedWriter([1000, 700]);
      const sender = frameSender(writer);
      const controller = new AbortController();
      const options = how === 'abort' ? { signal: controller.signal } : { timeout: 1 };
      const text = 'x'.repeat(5000);
      const failed = failure(() => sender.send(text, options));
      writer.full = true;
      const behind = sender.send('behind it');
      await nextTurn();
      if (how === 'abort') controller.abort(new Error('enough'));
      const error = await failed;
      expect(error).toMatchObject(how === 'abort' ? { message: 'enough' } : { code: 'ETIMEDOUT' });
      expect(error.bytesWritten).toBeGreaterThanOrEqual(1000);
      expect(error.bytesWritten).toBe(writer.written.length);
      writer.full = false;
      await behind;
      // What the stream had begun is finished, unasked: the receiver sees whole messages.
      expect(await received(writer)).toEqual([text, 'behind it']);
    },
  );

  test('with a reason that is no object: rejects with it, and the stream stays in step', async () => {
    const writer = new ScriptedWriter([1000, 0]);
    const sender = frameSender(writer);
    const controller = new AbortController();
    const waiting = sender.send('x'.repeat(5000), { signal: controller.signal });
    writer.full = true;
    await nextTurn();
    controller.abort('a string');
    expect(await waiting.catch((reason: unknown) => reason)).toBe('a string');
    writer.full = false;
    await sender.send('next');
    expect(await received(writer)).toEqual(['x'.repeat(5000), 'next']);
  });

  test('sendMany() is cancelled between two messages, too', async () => {
    const writer = new ScriptedWriter();
    const controller = new AbortController();
    const waiting = frameSender(writer).sendMany(['a', 'b', 'c'], { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await failure(() => waiting)).toBe(reason);
    expect(await received(writer)).toEqual(['a']);
  });

  test('sendMany() is cancelled at a boundary: what was sent whole stays sent', async () => {
    const writer = new ScriptedWriter([3004, 3004, 0, 0]);
    const sender = frameSender(writer);
    const parts = ['a', 'b', 'c'].map((letter) => letter.repeat(3000));
    const waiting = sender.sendMany(parts, { timeout: 5 });
    await nextTurn();
    writer.full = true;
    expect(await codeOf(() => waiting)).toBe('ETIMEDOUT');
    writer.full = false;
    await sender.send('next');
    expect(await received(writer)).toEqual([parts[0], parts[1], 'next']);
  });

  test('timeout 0 sends what fits at once, and nothing else', async () => {
    const writer = new ScriptedWriter();
    const sender = frameSender(writer);
    await sender.send('fits', { timeout: 0 });
    writer.full = true;
    const stuck = sender.send('y'.repeat(3000));
    expect(await codeOf(() => sender.send('does not', { timeout: 0 }))).toBe('ETIMEDOUT');
    writer.full = false;
    await stuck;
    expect(await received(writer)).toEqual(['fits', 'y'.repeat(3000)]);
  });

  test('trySend(): false sends nothing; true with a rest that follows by itself', async () => {
    const writer = new ScriptedWriter([0, 2]);
    const sender = frameSender(writer);
    expect(sender.trySend('refused')).toBe(false);
    expect(writer.written.length).toBe(0);
    expect(sender.trySend('taken half-way')).toBe(true);
    await sender.send('next');
    expect(await received(writer)).toEqual(['taken half-way', 'next']);
  });
});

test('a receive that is cancelled takes nothing: the next one gets the message', async () => {
  const stream = new ScriptedReader([Buffer.from([5, 0, 0, 0, 104, 105])]);
  const receiver = frameReceiver(stream);
  // Half of it is there; the stream has no more, for as long as nobody says that it has ended.
  const more: Buffer[] = [];
  stream.read = async (options) => {
    const end = performance.now() + (options?.timeout ?? Infinity);
    for (;;) {
      const chunk = more.shift() ?? (stream.tryRead() || undefined);
      if (chunk !== undefined) return chunk;
      if (performance.now() >= end) throw Object.assign(new Error('late'), { code: 'ETIMEDOUT' });
      await nextTurn();
    }
  };
  stream.tryRead = () => more.shift();
  more.push(Buffer.from([5, 0, 0, 0, 104, 105]));
  expect(await codeOf(() => receiver.receive({ timeout: 5 }))).toBe('ETIMEDOUT');
  const waiting = receiver.receive();
  more.push(Buffer.from('ppo'));
  expect(String(await waiting)).toBe('hippo');
});
