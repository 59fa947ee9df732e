import { describe, expect, test } from 'vitest';

import { attach, compilePeer, messages, missing, peer, ring } from './rings.js';

compilePeer();
const skip = missing('cc');

const OPTIONS = { capacity: 128, maxMessageSize: 40 } as const;
const SEED = 5;
const COUNT = 6;
/** More stores than six messages take: the last ones kill nobody. */
const STEPS = 34;

const expected = (): Buffer[] => {
  const all = messages(SEED, OPTIONS.maxMessageSize);
  return Array.from({ length: COUNT }, () => all.next().value as Buffer);
};

describe.each(['single', 'multiple'] as const)('producers: %s', (producers) => {
  test.skipIf(skip)(
    'RING-006 RING-008: a producer killed after any store leaves whole messages, is told of once, and the ring goes on',
    async () => {
      for (let fatal = 1; fatal <= STEPS; fatal++) {
        const { ring: made, name } = ring({ ...OPTIONS, producers });
        const consumer = made.consumer();
        const sender = peer('C', name, 'send', COUNT, SEED, fatal);
        const got: Buffer[] = [];
        const dead = (async () => {
          for (;;) got.push(await consumer.receive());
        })().catch((error: unknown) => error);
        const { signal } = await sender.ended;
        if (signal === 'SIGKILL') {
          expect(await dead).toMatchObject({ code: 'EOWNERDEAD' });
          expect(consumer.stats.deaths).toBe(1);
        } else {
          while (got.length < COUNT) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(got).toEqual(expected().slice(0, got.length));
        const next = attach(name).producer();
        await next.send('next');
        if (signal === 'SIGKILL') expect(String(await consumer.receive())).toBe('next');
        made.close();
        await dead;
      }
    },
  );
});

test.skipIf(skip)(
  'RING-007: a consumer killed after any store leaves all that it had not given back, at least once, and the sender is told',
  async () => {
    for (let fatal = 1; fatal <= STEPS; fatal++) {
      const { ring: made, name } = ring(OPTIONS);
      const producer = made.producer();
      const all = expected();
      const receiver = peer('C', name, 'receive', COUNT, SEED, fatal);
      let sent = 0;
      let deaths = 0;
      const survive = (error: unknown): void => {
        expect(error).toMatchObject({ code: 'EOWNERDEAD' });
        deaths += 1;
      };
      while (sent < COUNT && deaths === 0) {
        await producer.send(all[sent]!).then(() => (sent += 1), survive);
      }
      const { signal } = await receiver.ended;
      if (signal !== 'SIGKILL') continue;
      const consumer = attach(name).consumer();
      const rest: Buffer[] = [];
      for (;;) {
        for (let one = consumer.tryReceive(); one; one = consumer.tryReceive()) rest.push(one);
        if (sent === COUNT) break;
        await producer.send(all[sent]!).then(() => (sent += 1), survive);
      }
      expect(deaths).toBeLessThanOrEqual(1);
      expect(rest).toEqual(all.slice(COUNT - rest.length));
      made.close();
    }
  },
);
