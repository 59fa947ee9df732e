import type { RingClaim } from '@octoipc/shm';
import { expect, test } from 'vitest';

import { ring } from './rings.js';

/** A ring that a send has to wait for. */
function fullRing(producers: 'single' | 'multiple'): ReturnType<typeof ring> {
  const full = ring({ capacity: 256, maxMessageSize: 32, producers });
  const producer = full.ring.producer();
  while (producer.trySend(Buffer.alloc(32)));
  producer.close();
  return full;
}

/** Memory that its owner can make larger: newer than the library that TypeScript knows. */
type Resizable = ArrayBuffer & { resize(size: number): void };
const Memory = ArrayBuffer as unknown as new (
  size: number,
  options: { maxByteLength: number },
) => Resizable;

test.each(['single', 'multiple'] as const)(
  'a message that has grown too long while it waited is EMSGSIZE, and the ring goes on (%s)',
  async (producers) => {
    for (const how of ['send', 'sendMany'] as const) {
      const { ring: made } = fullRing(producers);
      const [producer, consumer] = [made.producer(), made.consumer()];
      const memory = new Memory(16, { maxByteLength: 4096 });
      const view = new Uint8Array(memory);
      const sent = how === 'send' ? producer.send(view) : producer.sendMany(['before', view]);
      sent.catch(() => {});
      memory.resize(100);
      const got: string[] = [];
      const expected = how === 'send' ? [] : ['before'];
      while (consumer.consume((message) => got.push(String(Buffer.from(message)))) > 0);
      await expect(sent).rejects.toMatchObject({ code: 'EMSGSIZE' });
      await producer.send('after');
      consumer.consume((message) => got.push(String(Buffer.from(message))));
      expect(got.slice(6)).toEqual([...expected, 'after']);
    }
  },
);

test('a message whose memory was given away while it waited is an error, and no empty message', async () => {
  const { ring: made } = fullRing('multiple');
  const [producer, consumer] = [made.producer(), made.consumer()];
  const memory = new ArrayBuffer(16);
  const sent = producer.send(new Uint8Array(memory));
  sent.catch(() => {});
  structuredClone(memory, { transfer: [memory] });
  while (consumer.tryReceive() !== undefined);
  await expect(sent).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  await producer.send('');
  expect(await consumer.receive()).toHaveLength(0);
});

test('sendMany() takes a text for one message too few, not for its letters', async () => {
  const { ring: made } = ring();
  const producer = made.producer();
  await expect(producer.sendMany('text')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  expect(made.consumer().tryReceive()).toBeUndefined();
});

test('what is made of the bytes of a claim does not change how long its message is', async () => {
  const { ring: made } = ring();
  const [producer, consumer] = [made.producer(), made.consumer()];
  const claim = producer.claim(4)!;
  claim.bytes.set(Buffer.from('four'));
  (claim as { -readonly [Key in keyof RingClaim]: RingClaim[Key] }).bytes = Buffer.alloc(5000);
  claim.commit();
  await producer.send('next');
  expect((await consumer.receiveMany()).map(String)).toEqual(['four', 'next']);
});
