import { frameReceiver, frameSender } from '@octoipc/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { codeNow, codeOf, failure } from './failure.js';
import { frames, messages, sizes } from './frames.js';
import { ScriptedWriter } from './scripted-stream.js';

describe('frameSender', () => {
  test('refuses what is no stream, and so does frameReceiver', () => {
    for (const wrong of [undefined, null, {}, 'fd', { write() {}, close() {} }, { read() {} }]) {
      expect(codeNow(() => frameSender(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
      expect(codeNow(() => frameReceiver(wrong as never))).toBe('ERR_INVALID_ARG_TYPE');
    }
  });

  test('any messages over any writes are their frames', async () => {
    await fc.assert(
      fc.asyncProperty(messages, sizes, async (all, takes) => {
        const writer = new ScriptedWriter(takes);
        const sender = frameSender(writer);
        await Promise.all(all.map((one) => sender.send(one)));
        expect(writer.written.equals(frames(all))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('sendMany() and trySend() write the same frames', async () => {
    await fc.assert(
      fc.asyncProperty(messages, sizes, async (all, takes) => {
        const [many, tried] = [new ScriptedWriter(takes), new ScriptedWriter(takes)];
        await frameSender(many).sendMany(all);
        const sender = frameSender(tried);
        for (const one of all) {
          while (!sender.trySend(one)) await new Promise((resolve) => setImmediate(resolve));
        }
        await sender.send('');
        expect(many.written.equals(frames(all))).toBe(true);
        expect(tried.written.equals(frames([...all, new Uint8Array()]))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('BIND-007: a message is copied when it is sent, so its memory is free at once', async () => {
    for (const size of [10, 5000, 100_000]) {
      const writer = new ScriptedWriter([3, 0, 5]);
      const data = Buffer.alloc(size, 'a');
      const sent = frameSender(writer).send(data);
      data.fill('b');
      await sent;
      expect(writer.written.equals(frames([Buffer.alloc(size, 'a')]))).toBe(true);
    }
  });

  test('EMSGSIZE for what is too long, and nothing is written', async () => {
    const writer = new ScriptedWriter();
    const sender = frameSender(writer, { maxMessageSize: 100 });
    expect(await failure(() => sender.send(Buffer.alloc(101)))).toMatchObject({
      code: 'EMSGSIZE',
      syscall: 'send',
    });
    expect(codeNow(() => sender.trySend(Buffer.alloc(101)))).toBe('EMSGSIZE');
    const mixed = ['short', Buffer.alloc(101)];
    expect(await codeOf(() => sender.sendMany(mixed))).toBe('EMSGSIZE');
    expect(writer.written.length).toBe(0);
    await sender.send(Buffer.alloc(100));
  });

  test('with several senders no write is over atomicSize, and no frame is cut', async () => {
    const writer = new ScriptedWriter();
    const sender = frameSender(writer, { multipleSenders: true, atomicSize: 256 });
    expect(sender.traits).toMatchObject({ multipleSenders: true, maxMessageSize: 252 });
    expect(await codeOf(() => sender.send(Buffer.alloc(253)))).toBe('EMSGSIZE');
    const all = Array.from({ length: 50 }, (_, i) => Buffer.alloc((i * 37) % 253, i));
    await Promise.all(all.map((one) => sender.send(one)));
    expect(writer.written.equals(frames(all))).toBe(true);
    let at = 0;
    for (const size of writer.asked) {
      expect(size).toBeLessThanOrEqual(256);
      // Each write ends where a frame ends.
      const end = at + size;
      while (at < end) at += 4 + writer.written.readUInt32LE(at);
      expect(at).toBe(end);
    }
  });

  test('small messages of one turn are one write', async () => {
    const writer = new ScriptedWriter();
    const sender = frameSender(writer);
    await Promise.all(Array.from({ length: 100 }, (_, i) => sender.send(`message ${i}`)));
    expect(writer.asked.length).toBe(1);
  });

  test('so are those of 4 KiB and of 16, as far as a write of 64 KiB has room', async () => {
    for (const [size, count, writes] of [
      [4000, 32, 2],
      [16_380, 8, 2],
    ] as const) {
      const writer = new ScriptedWriter();
      await frameSender(writer).sendMany(Array.from({ length: count }, () => Buffer.alloc(size)));
      expect(writer.asked.length).toBe(writes);
    }
  });

  test('a long message is written out of its memory, and what is not taken at once of a copy', async () => {
    const all = [Buffer.alloc(70_000, 'a'), Buffer.alloc(50_000, 'b'), Buffer.from('c')];
    const writer = new ScriptedWriter([4, 70_000, 4, 100]);
    const sender = frameSender(writer);
    const sent = all.map((one) => sender.send(one));
    const expected = frames(all);
    expect(writer.asked.slice(0, 4)).toEqual([4, 70_000, 4, 50_000]);
    for (const one of all) one.fill('x');
    await Promise.all(sent);
    expect(writer.written.equals(expected)).toBe(true);
  });

  test('a broken stream rejects what waits, and all that comes', async () => {
    const writer = new ScriptedWriter([2, 0]);
    const sender = frameSender(writer);
    const waits = [sender.send(Buffer.alloc(5000)), sender.send('behind it')];
    writer.broken = Object.assign(new Error('gone'), { code: 'EPIPE' });
    for (const wait of waits) expect(await codeOf(() => wait)).toBe('EPIPE');
    expect(await codeOf(() => sender.send('later'))).toBe('EPIPE');
    expect(codeNow(() => sender.trySend('later'))).toBe('EPIPE');
  });

  test('close() rejects what waits with ERR_CLOSED', async () => {
    const writer = new ScriptedWriter();
    writer.full = true;
    const sender = frameSender(writer);
    const waits = [sender.send(Buffer.alloc(5000)), sender.send('behind it')];
    await new Promise((resolve) => setImmediate(resolve));
    sender.close();
    for (const wait of waits) expect(await codeOf(() => wait)).toBe('ERR_CLOSED');
    expect(await codeOf(() => sender.send('x'))).toBe('ERR_CLOSED');
    expect([sender.closed, writer.closed]).toEqual([true, true]);
  });

  test('flush() hands over what waits for a turn of the event loop; false if the stream does not take it', async () => {
    const writer = new ScriptedWriter();
    const sender = frameSender(writer);
    for (let i = 0; i < 64; i++) await sender.send('before');
    const sent = sender.send('last');
    expect(sender.flush()).toBe(true);
    expect(writer.written.length).toBe(64 * 10 + 8);
    await sent;
    writer.full = true;
    const waiting = sender.send('full');
    expect([sender.flush(), sender.flush()]).toEqual([false, false]);
    writer.full = false;
    await waiting;
    expect(sender.flush()).toBe(true);
  });

  test('inOrder() writes behind what was sent before and before what is sent later', async () => {
    const writer = new ScriptedWriter([0, 3, 0]);
    const sender = frameSender(writer);
    const all = [
      sender.send('a'.repeat(2000)),
      sender.inOrder(async () => `${writer.tryWrite('<here>')}`),
      sender.send('b'),
    ];
    expect(await all[1]).toBe('6');
    await Promise.all(all);
    const [before, after] = writer.written.toString('latin1').split('<here>');
    expect([before!.length, after]).toEqual([2004, '\x01\0\0\0b']);
    expect(await sender.inOrder(async () => 'at once')).toBe('at once');
  });

  test('inOrder() can be aborted and timed out before its turn, and then writes nothing', async () => {
    const writer = new ScriptedWriter();
    writer.full = true;
    const sender = frameSender(writer);
    const controller = new AbortController();
    const never = (): never => {
      throw new Error('written');
    };
    const first = sender.send('a'.repeat(2000));
    const aborted = sender.inOrder(never, { signal: controller.signal });
    const late = sender.inOrder(never, { timeout: 1 });
    const reason = new Error('not this');
    controller.abort(reason);
    expect(await failure(() => aborted)).toBe(reason);
    expect(await codeOf(() => late)).toBe('ETIMEDOUT');
    expect(await codeOf(() => sender.inOrder(never, { timeout: 0 }))).toBe('ETIMEDOUT');
    expect(await codeOf(() => sender.inOrder(undefined as never))).toBe('ERR_INVALID_ARG_TYPE');
    writer.full = false;
    await first;
    expect(writer.written.length).toBe(2004);
  });

  test('inOrder() has its turn when the stream breaks or is closed, and is told what it finds', async () => {
    const writer = new ScriptedWriter([1, 0]);
    const sender = frameSender(writer);
    const sent = sender.send('a'.repeat(2000));
    const waiting = sender.inOrder(async () => writer.tryWrite('x'));
    writer.broken = Object.assign(new Error('gone'), { code: 'EPIPE' });
    expect(await codeOf(() => sent)).toBe('EPIPE');
    expect(await codeOf(() => waiting)).toBe('EPIPE');
    expect(await codeOf(() => sender.inOrder(async () => writer.tryWrite('x')))).toBe('EPIPE');
  });

  test('a priority is something that a byte stream does not have', async () => {
    const sender = frameSender(new ScriptedWriter());
    await sender.send('x', { priority: 0 });
    expect(await codeOf(() => sender.send('x', { priority: 1 }))).toBe('ERR_INVALID_ARG_VALUE');
    expect(sender.trySend('x', { priority: 0 })).toBe(true);
    expect(codeNow(() => sender.trySend('x', { priority: 1 }))).toBe('ERR_INVALID_ARG_VALUE');
    expect(codeNow(() => sender.trySend('x', 1 as never))).toBe('ERR_INVALID_ARG_TYPE');
  });
});
