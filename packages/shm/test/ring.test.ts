import { ShmRing, SharedMemory, shmReceiver, shmSender } from '@octoipc/shm';
import { describe, expect, onTestFinished, test } from 'vitest';

import { attach, numbers, ring } from './rings.js';

/** Quicker than `toEqual`. */
function same(left: Uint8Array | undefined, right: Buffer | undefined): boolean {
  return left === undefined || right === undefined ? left === right : right.equals(left);
}

describe('ShmRing', () => {
  test('RING-001: any sizes over any capacity come as they went, like a queue', async () => {
    for (const capacity of [64, 128, 1024, 8192]) {
      const { ring: made } = ring({ capacity });
      const [producer, consumer] = [made.producer(), made.consumer()];
      const random = numbers(capacity);
      const draw = (below: number): number => (random.next().value as number) % below;
      const model: Buffer[] = [];
      const wrong: string[] = [];
      const take = (got: Uint8Array | undefined, step: number): void => {
        if (!same(got, model.shift())) wrong.push(`step ${step} of capacity ${capacity}`);
      };
      for (let step = 0; step < 5000; step++) {
        const message = Buffer.alloc(draw(made.maxMessageSize + 1), step);
        const action = draw(5);
        if (action <= 1) {
          if (producer.trySend(message)) model.push(message);
          else if (model.length === 0) wrong.push(`full at step ${step}`);
        } else if (action === 2) {
          const claim = producer.claim(message.length);
          claim?.bytes.set(message);
          if (draw(2) === 0) claim?.abort();
          else if (claim !== null) model.push(message);
          claim?.commit();
        } else if (action === 3) {
          take(consumer.tryReceive(), step);
        } else if (draw(2) === 0 && model.length > 0) {
          for (const one of await consumer.receiveMany({ max: 3 })) take(one, step);
        } else {
          consumer.consume((view) => take(view, step), { max: 2 });
        }
      }
      expect(wrong).toEqual([]);
    }
  });

  test('RING-002: a full ring takes nothing, and a send waits for room', async () => {
    const { ring: made } = ring({ capacity: 128, maxMessageSize: 24 });
    const [producer, consumer] = [made.producer(), made.consumer()];
    for (let i = 0; i < 4; i++) expect(producer.trySend(Buffer.alloc(24, i))).toBe(true);
    expect(producer.trySend('x')).toBe(false);
    expect(producer.claim(0)).toBeNull();
    await expect(producer.send('x', { timeout: 1 })).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    const waits = producer.send('later');
    expect(consumer.tryReceive()).toEqual(Buffer.alloc(24, 0));
    await waits;
    const rest = await consumer.receiveMany();
    expect(rest.map((message) => message.length)).toEqual([24, 24, 24, 5]);
  });

  test('RING-003: an empty ring has nothing, and a receive waits', async () => {
    const { ring: made, name } = ring();
    const [producer, consumer] = [attach(name).producer(), made.consumer()];
    expect(consumer.tryReceive()).toBeUndefined();
    expect(consumer.consume(() => {})).toBe(0);
    expect(() => consumer.receiveSync({ timeout: 1 })).toThrow(
      expect.objectContaining({ code: 'ETIMEDOUT' }),
    );
    const waits = [consumer.receive(), consumer.receive()];
    await producer.sendMany(['first', 'second']);
    expect((await Promise.all(waits)).map(String)).toEqual(['first', 'second']);
    const controller = new AbortController();
    const aborted = consumer.receive({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await producer.send('kept');
    expect(String(await consumer.receive())).toBe('kept');
  });

  test('RING-004: positions wrap at 2^32', () => {
    const memory = SharedMemory.memfd({ size: 4096 + 256 });
    onTestFinished(() => memory.close());
    const made = ShmRing.create(memory, { capacity: 256 });
    onTestFinished(() => made.close());
    const words = memory.view(Int32Array);
    words[16] = words[32] = -512;
    const [producer, consumer] = [made.producer(), made.consumer()];
    for (let i = 0; i < 100; i++) {
      expect(producer.trySend(Buffer.alloc(i, i))).toBe(true);
      expect(consumer.tryReceive()).toEqual(Buffer.alloc(i, i));
    }
    expect(words[16]).toBeGreaterThan(0);
  });

  test('RING-005: the longest message fits, a longer one is EMSGSIZE', () => {
    const { ring: made } = ring({ capacity: 100, maxMessageSize: 120 });
    expect(made.capacity).toBe(256);
    const [producer, consumer] = [made.producer(), made.consumer()];
    expect(producer.trySend(Buffer.alloc(120, 1))).toBe(true);
    const tooLong = expect.objectContaining({ code: 'EMSGSIZE' });
    expect(() => producer.trySend(Buffer.alloc(121))).toThrow(tooLong);
    expect(() => producer.claim(121)).toThrow(tooLong);
    expect(producer.trySend('')).toBe(true);
    expect(consumer.tryReceive()).toHaveLength(120);
    expect(consumer.tryReceive()).toHaveLength(0);
    expect(consumer.tryReceive()).toBeUndefined();
  });

  test('RING-009: what is no ring is refused', () => {
    const refused = expect.objectContaining({ code: 'EBADMSG' });
    const damage: Record<string, [number, number]> = {
      magic: [0, 0x1234],
      version: [1, 2],
      order: [2, 0x0403_0201],
      flags: [3, 2],
      capacity: [4, 3000],
      'capacity beyond the end': [4, 1 << 20],
      maxMessageSize: [5, 1 << 20],
      'where data begin': [6, 64],
      seats: [7, 5],
    };
    for (const [index, value] of Object.values(damage)) {
      const memory = SharedMemory.memfd({ size: 8192 });
      ShmRing.create(memory, { capacity: 4096 }).close();
      memory.view(Int32Array)[index] = value;
      expect(() => ShmRing.attach(memory)).toThrow(refused);
      expect(() => ShmRing.create(memory, { capacity: 4096 })).toThrow(
        expect.objectContaining({ code: 'EEXIST' }),
      );
      memory.close();
    }
    const short = SharedMemory.memfd({ size: 100 });
    expect(() => ShmRing.attach(short)).toThrow(refused);
    short.close();
  });

  test('RING-010: whatever a hostile peer writes, it is EBADMSG or a message, and never more', async () => {
    const random = numbers(99);
    const draw = (): number => random.next().value as number;
    const places = [16, 32, 48, 64, 80, 128, 144, 1024, 1025, 1030, 1031];
    const codes = new Set<unknown>();
    for (let round = 0; round < 2000; round++) {
      const memory = SharedMemory.memfd({ size: 4096 + 256 });
      const made = ShmRing.create(memory, { capacity: 256 });
      const [producer, consumer] = [made.producer(), made.consumer()];
      producer.trySend('message');
      const words = memory.view(Int32Array);
      for (let i = 0; i < 3; i++) {
        const small = draw() % 2 === 0 ? draw() % 512 : draw();
        words[places[draw() % places.length]!] = small;
      }
      try {
        for (let i = 0; i < 20; i++) {
          producer.trySend(Buffer.alloc(draw() % 100));
          consumer.tryReceive();
          if (i % 5 === 0) consumer.consume(() => {});
          if (i % 7 === 0) await consumer.receiveMany({ timeout: 0 });
        }
      } catch (error) {
        const { code } = error as { code?: unknown };
        const left = code !== 'EBADMSG' || producer.closed || consumer.closed;
        codes.add(left ? code : 'damaged, but not closed');
      }
      made.close();
      memory.close();
    }
    expect([...codes].toSorted()).toEqual(['EBADMSG', 'EOWNERDEAD', 'ETIMEDOUT']);
  });

  test('RING-011 RING-012: one creates, and a name that is gone takes nothing away', async () => {
    const { ring: made, name } = ring();
    expect(() => ShmRing.create(name, { capacity: 64 })).toThrow(
      expect.objectContaining({ code: 'EEXIST' }),
    );
    const other = attach(name);
    ShmRing.unlink(name);
    expect(() => ShmRing.attach(name)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    await other.producer().send('still');
    expect(String(await made.consumer().receive())).toBe('still');
  });

  test('RING-013: a ring that is cut off is an error, and no signal', async () => {
    for (const [size, code] of [
      [4096, 'ERR_TRUNCATED'],
      [1, 'EBADMSG'],
    ] as const) {
      const memory = SharedMemory.memfd({ size: 8192 });
      const made = ShmRing.create(memory, { capacity: 4096 });
      const [producer, consumer] = [made.producer(), made.consumer()];
      const waits = size === 1 ? consumer.receive() : undefined;
      if (size > 1) await producer.send('gone');
      memory.resize(size);
      await expect(waits ?? consumer.receive()).rejects.toMatchObject({ code });
      expect(consumer.closed).toBe(true);
      made.close();
      memory.close();
    }
  });

  test('RING-015: closing rejects who waits, and everything after', async () => {
    const { ring: made } = ring({ capacity: 64, maxMessageSize: 24 });
    const [producer, consumer] = [made.producer(), made.consumer()];
    const waits = consumer.receive();
    consumer.close();
    await expect(waits).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(() => consumer.tryReceive()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    while (producer.trySend('x'));
    const sends = producer.send('y');
    made.close();
    await expect(sends).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(() => made.producer()).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });

  test('seats: one consumer, one producer or 32, and a seat that was left is free', () => {
    const busy = expect.objectContaining({ code: 'EBUSY' });
    const { ring: made } = ring();
    const consumer = made.consumer();
    expect(() => made.consumer()).toThrow(busy);
    consumer.close();
    made.consumer();
    const producer = made.producer();
    expect(() => made.producer()).toThrow(busy);
    producer.close();
    made.producer();
    const { ring: several } = ring({ producers: 'multiple' });
    for (let i = 0; i < 32; i++) several.producer();
    expect(() => several.producer()).toThrow(busy);
  });

  test('a claim is its producer’s turn, until it is committed', async () => {
    const { ring: made } = ring({ producers: 'multiple' });
    const [one, other, consumer] = [made.producer(), made.producer(), made.consumer()];
    const claim = one.claim(5);
    expect(() => one.claim(5)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    expect(other.trySend('no')).toBe(false);
    const waits = other.send('after');
    claim?.bytes.set(Buffer.from('claim'));
    claim?.commit();
    await waits;
    expect((await consumer.receiveMany()).map(String)).toEqual(['claim', 'after']);
  });

  test('channels: shmSender and shmReceiver', async () => {
    const { ring: made, name } = ring();
    const receiver = shmReceiver(made);
    const sender = shmSender(ShmRing.attach(name));
    onTestFinished(() => sender.close());
    await sender.send('through');
    expect(sender.trySend('twice', { priority: 0 })).toBe(true);
    expect(() => sender.trySend('first', { priority: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
    await expect(sender.send('first', { priority: 1 })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    });
    for await (const message of receiver) {
      if (String(message) === 'twice') break;
    }
    expect(receiver.traits).toMatchObject({ mechanism: 'shm', maxMessageSize: 2040 });
    receiver.close();
    await expect(receiver.receive()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});
