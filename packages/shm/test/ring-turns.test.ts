import { type RingProducer, SharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { compilePeer, missing, peer, peers, ring } from './rings.js';

compilePeer();

/** Of docs/layout.md: where producers say that they sleep. */
const PRODUCER_SLEEP = 256;
/** A bit that nobody sets: whoever wakes producers takes it with the others. */
const STRANGE = 4;
const ASLEEP = 1;

/** A ring for several, with no room for anything. */
function fullRing(): ReturnType<typeof ring> {
  const full = ring({ capacity: 64, maxMessageSize: 24, producers: 'multiple' });
  const producer = full.ring.producer();
  while (producer.trySend(Buffer.alloc(24)));
  producer.close();
  return full;
}

test('producers who wait for room do not wake each other for as long as there is none', async () => {
  const { ring: made } = fullRing();
  const producers = Array.from({ length: 3 }, () => made.producer());
  const sends = producers.map((producer, index) => producer.send(`sent ${index}`));
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  const wakes = producers.reduce((sum, { stats }: RingProducer) => sum + stats.wakes, 0);
  // Each has tried once with the turn.
  expect(wakes).toBeLessThanOrEqual(producers.length);
  const consumer = made.consumer();
  const got: string[] = [];
  while (got.length < 5) got.push(...(await consumer.receiveMany()).map(String));
  await Promise.all(sends);
  expect(got.slice(2).toSorted()).toEqual(['sent 0', 'sent 1', 'sent 2']);
});

test.each((['C', 'python'] as const).filter((name) => !missing(peers[name].tool)))(
  'a producer that looks at a full ring again and again leaves the others asleep (%s)',
  async (language) => {
    const { name } = fullRing();
    const memory = SharedMemory.open(name);
    onTestFinished(() => memory.close());
    const words = memory.view(Int32Array);
    const asleep = async (): Promise<number> => {
      for (;;) {
        const bits = Atomics.load(words, PRODUCER_SLEEP / 4);
        if ((bits & ASLEEP) !== 0) return bits;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const sender = peer(language, name, 'send', 1, 7);
    await asleep();
    for (let look = 0; look < 3; look++) {
      Atomics.store(words, PRODUCER_SLEEP / 4, STRANGE);
      memory.notify(PRODUCER_SLEEP, Infinity);
      expect(await asleep()).toBe(ASLEEP | STRANGE);
    }
    expect(sender.child.exitCode).toBeNull();
  },
);

const sending = {
  trySend: (producer: RingProducer, message: Buffer) => void producer.trySend(message),
  send: (producer: RingProducer, message: Buffer) => producer.send(message),
  claim: (producer: RingProducer, message: Buffer) => {
    const claim = producer.claim(message.length);
    claim?.bytes.set(message);
    claim?.commit();
  },
};

test.each(['trySend', 'send', 'claim'] as const)(
  'a producer that found the ring full sees that there is room (%s)',
  async (how) => {
    const { ring: made } = fullRing();
    const [producer, consumer] = [made.producer(), made.consumer()];
    for (let length = 0; length <= 24; length++) {
      const message = Buffer.alloc(length, length);
      expect(producer.trySend(message)).toBe(false);
      while (consumer.tryReceive() !== undefined);
      await sending[how](producer, message);
      expect(consumer.tryReceive()).toEqual(message);
      while (producer.trySend(Buffer.alloc(24)));
      while (producer.trySend(''));
    }
  },
);
