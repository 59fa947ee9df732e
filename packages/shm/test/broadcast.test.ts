import { SharedMemory, ShmBroadcast } from '@octoipc/shm';
import { describe, expect, onTestFinished, test } from 'vitest';

import { broadcast } from './racing.js';
import { numbers } from './rings.js';

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('ShmBroadcast', () => {
  test('every reader gets every message, in order, and who joins late what comes then', async () => {
    const { broadcast: made, name } = broadcast();
    const other = ShmBroadcast.attach(name);
    onTestFinished(() => other.close());
    const producer = made.producer();
    const [first, second] = [made.consumer(), other.consumer()];
    producer.send('one');
    producer.send('');
    const late = other.consumer();
    const old = other.consumer({ from: 'oldest' });
    producer.send(Buffer.from('three'));
    for (const consumer of [first, second, old]) {
      expect((await consumer.receiveMany()).map(String)).toEqual(['one', '', 'three']);
      expect(consumer.tryReceive()).toBeUndefined();
      expect(consumer.missed).toBe(0);
    }
    expect(String(await late.receive())).toBe('three');
  });

  test('any sizes over any capacity: whatever is not missed comes as it went', () => {
    for (const capacity of [64, 256, 1024, 8192]) {
      const { broadcast: made } = broadcast({ capacity });
      const producer = made.producer();
      const consumer = made.consumer();
      const random = numbers(capacity);
      const draw = (below: number): number => (random.next().value as number) % below;
      const sent: Buffer[] = [];
      let next = 0;
      const wrong: string[] = [];
      for (let step = 0; step < 5000; step++) {
        if (draw(3) > 0) {
          const message = Buffer.alloc(draw(made.maxMessageSize + 1), step);
          producer.send(message);
          sent.push(message);
          continue;
        }
        const before = consumer.missed;
        const message = consumer.tryReceive();
        next += consumer.missed - before;
        if (message === undefined ? next !== sent.length : !message.equals(sent[next++]!)) {
          wrong.push(`step ${step} of capacity ${capacity}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(consumer.missed).toBeGreaterThan(0);
    }
  });

  test('a reader that is overrun learns how many it missed, and the newest are there', async () => {
    const { broadcast: made } = broadcast({ capacity: 1024, maxMessageSize: 48 });
    const producer = made.producer();
    const consumer = made.consumer();
    producer.send('0');
    expect(String(await consumer.receive())).toBe('0');
    for (let i = 1; i <= 1000; i++) producer.send(String(i));
    const rest = await consumer.receiveMany();
    expect(consumer.missed + rest.length).toBe(1000);
    expect(String(rest[0])).toBe(String(consumer.missed + 1));
    expect(String(rest.at(-1))).toBe('1000');
    // It is not overrun again by the next ones.
    for (let i = 0; i < 8; i++) producer.send('more');
    expect(await consumer.receiveMany({ max: 8 })).toHaveLength(8);
    const late = made.consumer({ from: 'oldest' });
    expect((await late.receiveMany()).length).toBeGreaterThan(8);
    expect(late.missed).toBe(0);
  });

  test('receive() waits, in all flavours, and losing the wait loses no message', async () => {
    const { broadcast: made } = broadcast();
    const producer = made.producer();
    const consumer = made.consumer();
    expect(() => consumer.receiveSync({ timeout: 1 })).toThrow(code('ETIMEDOUT'));
    await expect(consumer.receive({ timeout: 1 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const controller = new AbortController();
    const aborted = consumer.receive({ signal: controller.signal });
    const waits = [consumer.receive(), consumer.receive()];
    expect(consumer.tryReceive()).toBeUndefined();
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    producer.send('first');
    producer.send('second');
    expect((await Promise.all(waits)).map(String)).toEqual(['first', 'second']);
    producer.send('third');
    expect(String(consumer.receiveSync())).toBe('third');
    for (const wrong of [1n, '1', null, undefined]) {
      expect(() => (consumer.spin = wrong as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    }
    expect(() => (consumer.spin = -1)).toThrow(code('ERR_OUT_OF_RANGE'));
    consumer.spin = 1000;
    const spun = consumer.receive();
    producer.send('fourth');
    expect(String(await spun)).toBe('fourth');
  });

  test('more readers than there are bells wait at once, and all are told', async () => {
    const { broadcast: made } = broadcast();
    const producer = made.producer();
    const consumers = Array.from({ length: 260 }, () => made.consumer());
    const waits = consumers.map((consumer) => consumer.receive());
    producer.send('all');
    expect(new Set((await Promise.all(waits)).map(String))).toEqual(new Set(['all']));
  });

  test('RING-013: a broadcast that is cut off is an error, and no signal', async () => {
    const memory = SharedMemory.memfd({ size: 8192 });
    onTestFinished(() => memory.close());
    const made = ShmBroadcast.create(memory, { capacity: 4096 });
    onTestFinished(() => made.close());
    const [producer, consumer] = [made.producer(), made.consumer()];
    producer.send('gone');
    memory.resize(4096);
    await expect(consumer.receive()).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    expect(consumer.closed).toBe(true);
  });

  test('one producer at a time; a seat that was left is free, and the next one goes on', async () => {
    const { broadcast: made } = broadcast();
    const producer = made.producer();
    expect(() => made.producer()).toThrow(code('EBUSY'));
    const consumer = made.consumer();
    producer.send('of the first');
    producer.close();
    expect(() => producer.send('late')).toThrow(code('ERR_CLOSED'));
    made.producer().send('of the second');
    expect((await consumer.receiveMany()).map(String)).toEqual(['of the first', 'of the second']);
  });

  test('closing rejects who waits, and everything after', async () => {
    const { broadcast: made } = broadcast();
    const consumer = made.consumer();
    const waits = consumer.receive();
    made.close();
    await expect(waits).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(() => consumer.tryReceive()).toThrow(code('ERR_CLOSED'));
    expect(() => made.consumer()).toThrow(code('ERR_CLOSED'));
  });

  test('what does not fit, or is none, is refused', () => {
    const { broadcast: made, name } = broadcast({ capacity: 1000, maxMessageSize: 300 });
    expect(made.capacity).toBe(2048);
    expect(() => made.producer().send(Buffer.alloc(301))).toThrow(code('EMSGSIZE'));
    expect(() => ShmBroadcast.create(name, { capacity: 64 })).toThrow(code('EEXIST'));
    for (const [index, number] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 1],
      [4, 1000],
      [4, 1 << 20],
      [5, 1 << 20],
      [6, 64],
      [7, 5],
    ] as const) {
      const memory = SharedMemory.memfd({ size: 8192 });
      ShmBroadcast.create(memory, { capacity: 4096 }).close();
      memory.view(Int32Array)[index] = number;
      expect(() => ShmBroadcast.attach(memory)).toThrow(code('EBADMSG'));
      memory.close();
    }
    const { name: ring } = broadcast();
    ShmBroadcast.unlink(ring);
    expect(() => ShmBroadcast.attach(ring)).toThrow(code('ENOENT'));
  });
});
