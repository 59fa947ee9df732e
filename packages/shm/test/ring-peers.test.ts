import { execFileSync } from 'node:child_process';

import { describe, expect, test } from 'vitest';

import { attach, compilePeer, messages, missing, peer, peers, ring } from './rings.js';
import { linesOf, vectors } from './vectors.js';

compilePeer();

const COUNT = 3000;
const OPTIONS = { capacity: 2048, maxMessageSize: 300 } as const;

const languages = (['C', 'python'] as const).filter((name) => !missing(peers[name].tool));

describe.each(languages)('%s', (language) => {
  test.each(vectors.ring)('makes the vector of $script', ({ script, memory }) => {
    const [file, ...args] = peers[language].command;
    expect(linesOf(execFileSync(file, [...args, 'dump', ...script]))).toEqual(memory);
  });

  test.each(languages)('RING-001: sends to %s', async (other) => {
    const { name } = ring(OPTIONS);
    const sender = peer(language, name, 'send', COUNT, 7);
    const receiver = peer(other, name, 'receive', COUNT, 7);
    expect(await sender.ended).toMatchObject({ code: 0 });
    expect(await receiver.ended).toMatchObject({ code: 0 });
  });

  test('RING-001: sends to ours, awaited', async () => {
    const { ring: made, name } = ring(OPTIONS);
    const consumer = made.consumer();
    const sender = peer(language, name, 'send', COUNT, 11);
    const expected = messages(11, OPTIONS.maxMessageSize);
    for (let i = 0; i < COUNT; i++) {
      expect((await consumer.receive()).equals(expected.next().value as Buffer)).toBe(true);
    }
    expect(await sender.ended).toMatchObject({ code: 0 });
  });

  test('RING-001: sends to ours, blocking', async () => {
    const { ring: made, name } = ring(OPTIONS);
    const consumer = made.consumer();
    const sender = peer(language, name, 'send', COUNT, 12);
    for (const expected of messages(12, OPTIONS.maxMessageSize)) {
      expect(consumer.receiveSync().equals(expected)).toBe(true);
      if (consumer.stats.messages === COUNT) break;
    }
    expect(await sender.ended).toMatchObject({ code: 0 });
  });

  test('RING-001: receives from ours, awaited and blocking', async () => {
    const { ring: made, name } = ring(OPTIONS);
    const receiver = peer(language, name, 'receive', COUNT, 13);
    const producer = attach(name).producer();
    for (const message of messages(13, OPTIONS.maxMessageSize)) {
      if (producer.stats.messages % 2 === 0) await producer.send(message);
      else producer.sendSync(message);
      if (producer.stats.messages === COUNT) break;
    }
    expect(await receiver.ended).toMatchObject({ code: 0 });
    expect(made.capacity).toBe(OPTIONS.capacity);
  });

  test('RING-008: takes turns with ours', async () => {
    const { ring: made, name } = ring({ ...OPTIONS, producers: 'multiple' });
    const consumer = made.consumer();
    const senders = [1, 2].map(() => peer(language, name, 'send', COUNT / 10, 21));
    const producer = attach(name).producer();
    const ours = (async () => {
      for (let i = 0; i < COUNT / 10; i++) await producer.send(Buffer.alloc(1, i));
    })();
    let count = 0;
    while (count < (3 * COUNT) / 10) count += (await consumer.receiveMany()).length;
    await ours;
    for (const sender of senders) expect(await sender.ended).toMatchObject({ code: 0 });
    expect(consumer.tryReceive()).toBeUndefined();
  });
});
