import { describe, expect, test } from 'vitest';

import { tally } from '../../core/test/tally.js';
import { attach, compilePeer, messages, missing, peer, ring } from './rings.js';

compilePeer();
const skip = missing('cc');

const OPTIONS = { capacity: 128, maxMessageSize: 40 } as const;
const SEED = 5;
const COUNT = 6;
/** More stores than six messages take: the last ones kill nobody. */
const STEPS = Array.from({ length: 34 }, (_, index) => index + 1);

const expected = (): Buffer[] => {
  const all = messages(SEED, OPTIONS.maxMessageSize);
  return Array.from({ length: COUNT }, () => all.next().value as Buffer);
};

const codeOf = (error: unknown): string => (error as { code: string }).code;

/** What a consumer sees of a producer that is killed after so many stores, and of the next one. */
async function killProducer(
  language: 'C' | 'ours',
  producers: 'single' | 'multiple',
  fatal: number,
): Promise<string[]> {
  const { ring: made, name } = ring({ ...OPTIONS, producers });
  const consumer = made.consumer();
  const sender = peer(language, name, 'send', COUNT, SEED, fatal);
  const all = expected();
  const seen: string[] = [];
  while (seen.length < COUNT && seen.at(-1) !== 'EOWNERDEAD') {
    const index = seen.length;
    const whole = (got: Buffer): string => (got.equals(all[index]!) ? 'whole' : 'torn');
    seen.push(await consumer.receive().then(whole, codeOf));
  }
  await sender.ended;
  const next = attach(name);
  await next.producer().send('next');
  seen.push(String(await consumer.receive()));
  next.close();
  made.close();
  return seen;
}

/** What a producer sees of a consumer that is killed after so many stores, and what the next one gets. */
async function killConsumer(
  language: 'C' | 'ours',
  fatal: number,
): Promise<{ deaths: number; rest: string }> {
  const { ring: made, name } = ring(OPTIONS);
  const producer = made.producer();
  const receiver = peer(language, name, 'receive', COUNT, SEED, fatal);
  const all = expected();
  let deaths = 0;
  for (let sent = 0; sent < COUNT && deaths === 0;) {
    const code = await producer.send(all[sent]!).then(() => 'sent', codeOf);
    if (code === 'sent') sent += 1;
    else deaths += 1;
  }
  await receiver.ended;
  const rest: Buffer[] = [];
  const next = attach(name);
  const consumer = next.consumer();
  const take = (): void => {
    for (let one = consumer.tryReceive(); one; one = consumer.tryReceive()) rest.push(one);
  };
  take();
  for (let sent = producer.stats.messages; sent < COUNT; sent++) {
    await producer.send(all[sent]!);
    take();
  }
  next.close();
  made.close();
  const came = rest.every((one, index) => one.equals(all[COUNT - rest.length + index]!));
  return { deaths, rest: came ? 'in order' : 'not in order' };
}

/** Ours makes fewer stores that are counted. */
const languages = [
  { language: 'C', steps: STEPS },
  { language: 'ours', steps: STEPS.filter((step) => step <= 26) },
] as const;

describe.each(languages.filter(({ language }) => language !== 'C' || !skip))(
  '$language',
  ({ language, steps }) => {
    test.each(['single', 'multiple'] as const)(
      'RING-006 RING-008: a producer (%s) killed after any store leaves whole messages, is told of once, and the ring goes on',
      async (producers) => {
        let deaths = 0;
        for (const fatal of steps) {
          const seen = await killProducer(language, producers, fatal);
          expect(seen.at(-1)).toBe('next');
          const others = seen.slice(0, -1).filter((one) => one !== 'whole');
          expect([[], ['EOWNERDEAD']]).toContainEqual(others);
          deaths += others.length;
        }
        tally('killPoints', Array<string>(deaths).fill('ring'));
        expect(deaths).toBeGreaterThan(COUNT);
      },
    );

    test('RING-007: a consumer killed after any store leaves what it had not given back, and the sender of a full ring is told', async () => {
      let told = 0;
      for (const fatal of steps) {
        const { deaths, rest } = await killConsumer(language, fatal);
        expect(rest).toBe('in order');
        told += deaths;
      }
      tally('killPoints', Array<string>(told).fill('ring'));
      expect(told).toBeGreaterThan(0);
    });
  },
);
