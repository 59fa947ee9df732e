import { ftruncateSync, readdirSync } from 'node:fs';

import {
  SharedMemory,
  shmReceiver,
  ShmRing,
  type RingConsumer,
  type RingProducer,
} from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { codeNow } from '../../core/test/failure.js';
import { ring } from './rings.js';

const CAPACITY = 4096;
/** Words of the header: where the producer is. */
const TAIL = 16;
const KIND_OF_RECORD = 1;

/** A ring in memory of the test's own. */
function exposed(): { made: ShmRing; memory: SharedMemory; words: Int32Array } {
  const memory = SharedMemory.memfd({ size: 4096 + CAPACITY });
  const made = ShmRing.create(memory, { capacity: CAPACITY });
  onTestFinished(() => {
    made.close();
    memory.close();
  });
  return { made, memory, words: memory.view(Int32Array) };
}

test.each(['producer', 'consumer'] as const)(
  'RING-010: a %s of a ring whose positions cannot be is EBADMSG, and leaves its seat',
  (end) => {
    const { made, words } = exposed();
    words[TAIL] = 4;
    expect(() => made[end]()).toThrow(expect.objectContaining({ code: 'EBADMSG' }));
    words[TAIL] = 0;
    made[end]().close();
  },
);

test('receiveMany() gives what is before the damage, and then tells of that', async () => {
  const { made, words } = exposed();
  const [producer, consumer] = [made.producer(), made.consumer()];
  for (let i = 1; i <= 5; i++) producer.trySend(`m${i}`);
  const fifth = (4096 + 4 * 16) / 4;
  words[fifth + KIND_OF_RECORD] = 77;
  const got = await consumer.receiveMany();
  expect(got.map(String)).toEqual(['m1', 'm2', 'm3', 'm4']);
  await expect(consumer.receiveMany()).rejects.toMatchObject({ code: 'EBADMSG' });
  expect(consumer.closed).toBe(true);
});

test('a channel over a ring that was found damaged is closed', async () => {
  const { made, words } = exposed();
  const receiver = shmReceiver(made);
  words[TAIL] = 4;
  await expect(receiver.receive()).rejects.toMatchObject({ code: 'EBADMSG' });
  expect(receiver.closed).toBe(true);
});

test('a ring that cannot be attached to, or made, leaves no descriptor', () => {
  const memory = SharedMemory.memfd({ size: 8192 });
  onTestFinished(() => memory.close());
  ftruncateSync(memory.fd, 0);
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 10; i++) {
    expect(codeNow(() => ShmRing.attach(memory))).toMatch(/^E/);
    expect(codeNow(() => ShmRing.create(memory, { capacity: 64 }))).toMatch(/^E/);
  }
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('a consumer that is closed by what it calls back has taken what that has seen, once', async () => {
  const { ring: made } = ring();
  const producer = made.producer();
  for (let i = 1; i <= 5; i++) producer.trySend(`m${i}`);
  const consumer = made.consumer();
  const seen: string[] = [];
  const count = consumer.consume((view) => {
    seen.push(String(Buffer.from(view)));
    if (seen.length === 3) consumer.close();
  });
  expect({ count, seen }).toEqual({ count: 3, seen: ['m1', 'm2', 'm3'] });
  const rest = await made.consumer().receiveMany();
  expect(rest.map(String)).toEqual(['m4', 'm5']);
});

test('consume() ends, however quickly the other side goes on', () => {
  const { ring: made } = ring({ capacity: 1024, maxMessageSize: 8 });
  const [producer, consumer] = [made.producer(), made.consumer()];
  producer.trySend('first');
  let count = 0;
  const consumed = consumer.consume(() => {
    count += 1;
    // As another process might, for each that is taken.
    if (count < 100_000) while (producer.trySend('another'));
  });
  expect(consumed).toBeLessThan(1000);
  expect(consumed).toBe(count);
});

/** Memory of which somebody else cuts off all but so many bytes, and two mappings of a ring in it. */
function cut(at: number): { mine: ShmRing; theirs: ShmRing; shorten: () => void } {
  const memory = SharedMemory.memfd({ size: 4096 + 65_536 });
  const mine = ShmRing.create(memory, { capacity: 65_536 });
  const theirs = ShmRing.attach(memory);
  onTestFinished(() => {
    mine.close();
    theirs.close();
    memory.close();
  });
  return { mine, theirs, shorten: () => ftruncateSync(memory.fd, at) };
}

const sends: Record<string, (producer: RingProducer) => unknown> = {
  'trySend()': (producer) => producer.trySend('lost'),
  'send()': (producer) => producer.send('lost'),
  'sendSync()': (producer) => producer.sendSync('lost'),
  'sendMany()': (producer) => producer.sendMany(['lost', 'too']),
};

test.each(Object.keys(sends))(
  'RING-013: %s to memory whose data were cut off tells so, and has sent nothing',
  async (name) => {
    const { mine, theirs, shorten } = cut(4096);
    const producer = mine.producer();
    const consumer = theirs.consumer();
    shorten();
    const sent = (async () => await sends[name]!(producer))();
    await expect(sent).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    expect(producer.closed).toBe(true);
    expect(consumer.tryReceive()).toBeUndefined();
  },
);

test('RING-013: so does the commit of a claim', () => {
  const { mine, shorten } = cut(4096);
  const producer = mine.producer();
  const claim = producer.claim(4)!;
  shorten();
  claim.bytes.fill(1);
  expect(() => claim.commit()).toThrow(expect.objectContaining({ code: 'ERR_TRUNCATED' }));
  expect(producer.closed).toBe(true);
});

const receives: Record<string, (consumer: RingConsumer) => unknown> = {
  'tryReceive()': (consumer) => consumer.tryReceive(),
  'receive()': (consumer) => consumer.receive(),
  'receiveMany()': (consumer) => consumer.receiveMany(),
  'consume()': (consumer) => consumer.consume((view) => view.at(-1)),
};

test.each(Object.keys(receives))(
  'RING-013: %s never gives half a message, of which the rest was cut off',
  async (name) => {
    const { mine, theirs, shorten } = cut(8192);
    const producer = mine.producer();
    const consumer = theirs.consumer();
    producer.trySend(Buffer.alloc(4000, 'a'));
    producer.trySend(Buffer.alloc(500, 'b'));
    expect(consumer.tryReceive()).toHaveLength(4000);
    shorten();
    const received = (async () => await receives[name]!(consumer))();
    await expect(received).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    expect(consumer.closed).toBe(true);
  },
);
