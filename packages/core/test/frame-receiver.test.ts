import { frameReceiver, frameSender } from '@octoipc/core';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';

import { codeNow, codeOf, failure } from './failure.js';
import { cut, frames, message, messages, sizes } from './frames.js';
import { ScriptedReader, ScriptedWriter } from './scripted-stream.js';

describe('frameReceiver', () => {
  test('any messages over any chunking are the messages, by receive()', async () => {
    await fc.assert(
      fc.asyncProperty(messages, sizes, async (all, at) => {
        const receiver = frameReceiver(new ScriptedReader(cut(frames(all), at)));
        for (const one of all) expect(Buffer.compare((await receiver.receive())!, one)).toBe(0);
        expect([await receiver.receive(), await receiver.receive()]).toEqual([null, null]);
      }),
      { numRuns: 150 },
    );
  });

  test('the same by tryReceive(), receiveMany() and iteration', async () => {
    await fc.assert(
      fc.asyncProperty(messages, sizes, async (all, at) => {
        const chunks = cut(frames(all), at);
        const tried: Buffer[] = [];
        const receiver = frameReceiver(new ScriptedReader(chunks));
        for (let one = receiver.tryReceive(); one !== null; one = receiver.tryReceive()) {
          if (one !== undefined) tried.push(one);
        }
        const iterated: Buffer[] = [];
        for await (const one of frameReceiver(new ScriptedReader(chunks))) iterated.push(one);
        const many: Buffer[] = [];
        const several = frameReceiver(new ScriptedReader(chunks));
        for (let some = await several.receiveMany({ max: 3 }); some.length > 0;) {
          expect(some.length).toBeLessThanOrEqual(3);
          many.push(...some);
          some = await several.receiveMany({ max: 3 });
        }
        for (const got of [tried, iterated, many]) {
          expect(got.length).toBe(all.length);
          expect(got.every((one, i) => one.equals(all[i]!))).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('of messages that come in parts each byte is read to its place', async () => {
    const long = Array.from({ length: 3 }, (_, n) => Buffer.alloc(70_000, n));
    const bytes = frames(long);
    const reader = new ScriptedReader([bytes.subarray(0, 60_000), bytes.subarray(60_000)]);
    const receiver = frameReceiver(reader);
    for (const one of long) expect((await receiver.receive())!.equals(one)).toBe(true);
    expect(reader.brought).toEqual([10_004, 4, 70_000, 4, 70_000]);
  });

  test('a stream that is cut inside a frame is ERR_TRUNCATED, after what was whole, for ever', async () => {
    await fc.assert(
      fc.asyncProperty(messages, message, fc.nat(), async (all, last, where) => {
        const whole = frames(all);
        const rest = frames([last]);
        const lost = 1 + (where % (rest.length - 1 || 1));
        const bytes = Buffer.concat([whole, rest.subarray(0, lost)]);
        const receiver = frameReceiver(new ScriptedReader([bytes]));
        for (const one of all) expect(Buffer.compare((await receiver.receive())!, one)).toBe(0);
        expect(await codeOf(() => receiver.receive())).toBe('ERR_TRUNCATED');
        expect(await codeOf(() => receiver.receive())).toBe('ERR_TRUNCATED');
        expect(codeNow(() => receiver.tryReceive())).toBe('ERR_TRUNCATED');
      }),
      { numRuns: 60 },
    );
  });

  test('a length over maxMessageSize is EMSGSIZE before anything is allocated', async () => {
    const header = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    const reader = new ScriptedReader([frames([Buffer.from('ok')]), header, Buffer.alloc(64)]);
    const receiver = frameReceiver(reader, { maxMessageSize: 1024 });
    expect(String(await receiver.receive())).toBe('ok');
    const before = process.memoryUsage().arrayBuffers;
    const error = await failure(() => receiver.receive());
    expect(error).toMatchObject({ code: 'EMSGSIZE', syscall: 'receive' });
    expect(error.hint).toContain('maxMessageSize');
    // 4 GiB were announced; the reader was brought no memory, and none was made.
    expect(reader.brought).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    expect(await codeOf(() => receiver.receive())).toBe('EMSGSIZE');
  });

  test('maxMessageSize itself is allowed, one byte more is not', async () => {
    const receive = (size: number) =>
      frameReceiver(new ScriptedReader([frames([Buffer.alloc(size)])]), {
        maxMessageSize: 100,
      }).receive();
    expect((await receive(100))!.length).toBe(100);
    expect(await codeOf(() => receive(101))).toBe('EMSGSIZE');
  });

  test('receivers take turns: concurrent receives get the messages in their order', async () => {
    const all = Array.from({ length: 20 }, (_, i) => Buffer.from(`message ${i}`));
    const receiver = frameReceiver(new ScriptedReader(cut(frames(all), Array(60).fill(7))));
    const got = await Promise.all(all.map(() => receiver.receive()));
    expect(got).toEqual(all);
  });

  test('takeUnread() gives what was read ahead, whatever the chunks, and leaves the stream to others', async () => {
    await fc.assert(
      fc.asyncProperty(messages, sizes, fc.nat(60), async (all, at, tries) => {
        const reader = new ScriptedReader(cut(frames(all), at));
        const receiver = frameReceiver(reader);
        let taken = 0;
        for (let i = 0; i < tries; i++) if (receiver.tryReceive()) taken += 1;
        const rest = [receiver.takeUnread()];
        expect(receiver.takeUnread().length).toBe(0);
        for (let chunk = await reader.read(); chunk !== null; chunk = await reader.read()) {
          rest.push(chunk);
        }
        expect(Buffer.concat(rest).equals(frames(all.slice(taken)))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('takeUnread() gives the length, too, that was over the maximum', async () => {
    const all = frames([Buffer.alloc(100, 'x')]);
    const receiver = frameReceiver(new ScriptedReader([all]), { maxMessageSize: 10 });
    expect(codeNow(() => receiver.tryReceive())).toBe('EMSGSIZE');
    expect(receiver.takeUnread().equals(all)).toBe(true);
    expect(codeNow(() => receiver.tryReceive())).toBe('EMSGSIZE');
  });

  test('takeUnread() is EBUSY while somebody waits for the rest of a message', async () => {
    const receiver = frameReceiver(
      new ScriptedReader([Buffer.from('\x02\0\0\0a'), Buffer.alloc(0), Buffer.from('b')]),
    );
    const waiting = receiver.receive();
    await Promise.resolve();
    expect(codeNow(() => receiver.takeUnread())).toBe('EBUSY');
    expect(String(await waiting)).toBe('ab');
    expect(receiver.takeUnread().length).toBe(0);
  });

  test('closed: receive() and iteration reject, tryReceive() throws', async () => {
    const receiver = frameReceiver(new ScriptedReader([]));
    receiver.close();
    receiver.close();
    expect(receiver.closed).toBe(true);
    expect(await codeOf(() => receiver.receive())).toBe('ERR_CLOSED');
    expect(codeNow(() => receiver.tryReceive())).toBe('ERR_CLOSED');
    expect(await codeOf(() => receiver[Symbol.asyncIterator]().next())).toBe('ERR_CLOSED');
  });

  test('a message for which there is no memory is ENOMEM, and what follows is never misread', async () => {
    const huge = Buffer.from([0xff, 0xff, 0xff, 0xff]);
    const receiver = frameReceiver(new ScriptedReader([huge, frames([Buffer.from('x')])]), {
      maxMessageSize: 0xffff_ffff,
    });
    const allocate = Buffer.allocUnsafeSlow;
    Buffer.allocUnsafeSlow = (size) => {
      if (size > 0xffff_0000) throw new RangeError('Array buffer allocation failed');
      return allocate(size);
    };
    onTestFinished(() => {
      Buffer.allocUnsafeSlow = allocate;
    });
    for (let i = 0; i < 3; i++) {
      expect(await failure(() => receiver.receive())).toMatchObject({
        code: 'ENOMEM',
        hint: expect.stringContaining('maxMessageSize') as string,
      });
    }
  });

  test('BIND-004: bad options are refused', async () => {
    for (const maxMessageSize of [-1, 1.5, Number.NaN, 2 ** 32]) {
      const options = { maxMessageSize };
      expect(codeNow(() => frameReceiver(new ScriptedReader([]), options))).toBe(
        'ERR_OUT_OF_RANGE',
      );
      expect(codeNow(() => frameSender(new ScriptedWriter(), options))).toBe('ERR_OUT_OF_RANGE');
    }
    const receiver = frameReceiver(new ScriptedReader([]));
    expect(await codeOf(() => receiver.receiveMany({ max: 0 }))).toBe('ERR_OUT_OF_RANGE');
    expect(await codeOf(() => receiver.receive({ timeout: -1 }))).toBe('ERR_OUT_OF_RANGE');
    for (const atomicSize of [Number.NaN, -1, 4, 1.5]) {
      const options = { multipleSenders: true, atomicSize };
      expect(codeNow(() => frameSender(new ScriptedWriter(), options))).toBe('ERR_OUT_OF_RANGE');
    }
  });
});
