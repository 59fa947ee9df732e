import { randomBytes } from 'node:crypto';

import { ShmRing } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { attach, compilePeer, messages, missing, numbers, peer, ring } from './rings.js';

compilePeer();
const skip = missing('cc');

const fixture = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url);

test.skipIf(skip)(
  'RING-001: a million messages of any size come from C, in order and whole',
  async () => {
    const COUNT = 1_000_000;
    const { ring: made, name } = ring({ capacity: 65_536, maxMessageSize: 64 });
    const consumer = made.consumer();
    const sender = peer('C', name, 'send', COUNT, 31);
    const expected = messages(31, 64);
    let wrong = 0;
    for (let count = 0; count < COUNT;) {
      for (const message of await consumer.receiveMany()) {
        if (!message.equals(expected.next().value as Buffer)) wrong += 1;
        count += 1;
      }
    }
    expect(wrong).toBe(0);
    expect(await sender.ended).toMatchObject({ code: 0 });
    expect(consumer.tryReceive()).toBeUndefined();
  },
);

test.skipIf(skip)('RING-001: a million messages of any size go to C', async () => {
  const COUNT = 1_000_000;
  const { ring: made, name } = ring({ capacity: 65_536, maxMessageSize: 64 });
  const receiver = peer('C', name, 'receive', COUNT, 32);
  const producer = made.producer();
  const all = messages(32, 64);
  for (let count = 0; count < COUNT; count += 1000) {
    await producer.sendMany(Array.from({ length: 1000 }, () => all.next().value as Buffer));
  }
  expect(await receiver.ended).toMatchObject({ code: 0 });
});

test.skipIf(skip)(
  'RING-008: eight producers, of which one is killed: the others’ messages come, each one’s in order',
  async () => {
    const COUNT = 2000;
    const KILLED = 3;
    const { ring: made, name } = ring({
      capacity: 4096,
      maxMessageSize: 64,
      producers: 'multiple',
    });
    const consumer = made.consumer();
    const senders = Array.from({ length: 8 }, (_, i) =>
      peer('C', name, 'number', COUNT, i, i === KILLED ? 500 : -1),
    );
    const counts = senders.map(() => 0);
    let deaths = 0;
    while (counts.some((count, i) => i !== KILLED && count < COUNT)) {
      const batch = await consumer.receiveMany().catch((error: { code: string }) => {
        if (error.code !== 'EOWNERDEAD') throw error;
        deaths += 1;
        return [];
      });
      for (const message of batch) {
        const who = message.readUInt32LE();
        const number = message.readUInt32LE(4);
        if (number !== counts[who]!++) throw new Error(`${number} of ${who} is out of order`);
      }
    }
    for (const [index, sender] of senders.entries()) {
      const ended = index === KILLED ? { signal: 'SIGKILL' } : { code: 0 };
      expect(await sender.ended).toMatchObject(ended);
    }
    // It may have died after the last message of the others had come.
    if (deaths === 0) await consumer.receive().catch(() => (deaths += 1));
    expect(deaths).toBe(1);
  },
);

test('RING-003: no wake is lost over thousands of ping-pongs with another process', async () => {
  const COUNT = 2000;
  const { ring: forth, name } = ring();
  const { ring: back, name: backName } = ring();
  const echo = Peer.node(fixture('ring-echo.mjs'), [name, backName, COUNT]);
  await echo.line();
  const [producer, consumer] = [forth.producer(), back.consumer()];
  for (let i = 0; i < COUNT; i++) {
    await producer.send(String(i));
    expect(String(await consumer.receive({ timeout: 30_000 }))).toBe(String(i));
  }
  expect(await echo.ended).toMatchObject({ code: 0 });
});

test('RING-011: of two processes that create the same names one makes each, and the other finds it whole', async () => {
  const COUNT = 100;
  const prefix = `/octoipc-test-${process.pid}-${randomBytes(6).toString('hex')}`;
  onTestFinished(() => {
    for (let i = 0; i < COUNT; i++) ShmRing.unlink(`${prefix}-${i}`);
  });
  const racers = [1, 2].map(() => Peer.node(fixture('ring-race.mjs'), [prefix, COUNT]));
  for (const racer of racers) await racer.line();
  for (const racer of racers) racer.tell('go');
  let created = 0;
  for (const racer of racers) {
    expect(await racer.ended).toMatchObject({ code: 0, stderr: '' });
    created += Number(await racer.line());
  }
  expect(created).toBe(COUNT);
});

test('RING-016: who waits takes less than a hundredth of the processor', async () => {
  const idle = Peer.node(fixture('ring-idle.mjs'), [3000]);
  const { ours, bare } = await idle.report<{ ours: number; bare: number }>();
  // Where the machine charges more than that for a bare timer's wakes, a wait may double it.
  expect(ours).toBeLessThan(Math.max(30_000, 2 * bare));
});

test('RING-004: messages cross the end of the buffer', () => {
  const { ring: made, name } = ring({ capacity: 256, maxMessageSize: 100 });
  const [producer, consumer] = [attach(name).producer(), made.consumer()];
  const random = numbers(4);
  for (let i = 0; i < 10_000; i++) {
    const message = Buffer.alloc((random.next().value as number) % 101, i);
    expect(producer.trySend(message)).toBe(true);
    if (!consumer.tryReceive()!.equals(message)) throw new Error(`message ${i} is another`);
  }
});
