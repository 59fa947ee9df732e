import { frameReceiver, frameSender } from '@octoipc/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { codeNow, codeOf, failure } from './failure.js';
import { ScriptedReader, ScriptedWriter } from './scripted-stream.js';

const message = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 1000, max: 1100 }).map((length) => new Uint8Array(length).fill(length)),
  fc.integer({ min: 15_000, max: 20_000 }).map((length) => new Uint8Array(length).fill(length)),
  fc.constant(new Uint8Array(70_000).fill(7)),
);
const messages = fc.array(message, { maxLength: 12 });
const sizes = fc.array(fc.nat({ max: 20_000 }), { maxLength: 40 });

const frames = (all: readonly Uint8Array[]) =>
  Buffer.concat(
    all.flatMap((one) => {
      const header = Buffer.alloc(4);
      header.writeUInt32LE(one.length);
      return [header, one];
    }),
  );

/** Cuts bytes at these sizes in turn; a size of 0 is a moment in which nothing is there. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let start = 0;
  for (const size of at) {
    chunks.push(bytes.subarray(start, start + size));
    start += size;
  }
  return [...chunks, bytes.subarray(start)];
}

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

  test('closed: receive() rejects, tryReceive() throws, iteration ends', async () => {
    const receiver = frameReceiver(new ScriptedReader([]));
    receiver.close();
    receiver.close();
    expect(receiver.closed).toBe(true);
    expect(await codeOf(() => receiver.receive())).toBe('ERR_CLOSED');
    expect(codeNow(() => receiver.tryReceive())).toBe('ERR_CLOSED');
    for await (const one of receiver) throw new Error(`got ${String(one)}`);
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

describe('frameSender', () => {
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

  test('a priority is something that a byte stream does not have', async () => {
    const sender = frameSender(new ScriptedWriter());
    await sender.send('x', { priority: 0 });
    expect(await codeOf(() => sender.send('x', { priority: 1 }))).toBe('ERR_INVALID_ARG_VALUE');
  });
});
