import { describe, expect, test } from 'vitest';

import { tally } from '../../core/test/tally.js';
import { attach, compilePeer, killAfterEach, messages, missing, peer, ring } from './rings.js';

compilePeer();
const skip = missing('cc');

const OPTIONS = { capacity: 128, maxMessageSize: 40 } as const;
const SEED = 5;
/** Of messages that are none of those. */
const RIVAL = 12;
const COUNT = 6;

const expected = (seed = SEED): Buffer[] => {
  const all = messages(seed, OPTIONS.maxMessageSize);
  return Array.from({ length: COUNT }, () => all.next().value as Buffer);
};

const codeOf = (error: unknown): string => (error as { code: string }).code;

/** What a consumer sees of a producer that is killed after so many stores, and of the next one. */
async function killProducer(
  language: 'C' | 'ours',
  producers: 'single' | 'multiple',
  fatal: number,
): Promise<{ seen: string[]; killed: boolean }> {
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
  const { signal } = await sender.ended;
  const next = attach(name);
  await next.producer().send('next');
  seen.push(String(await consumer.receive()));
  next.close();
  made.close();
  return { seen, killed: signal === 'SIGKILL' };
}

/** What came of a producer that is killed while another one sends, who tells that it has sent everything. */
async function killProducerBesideAnother(
  language: 'C' | 'ours',
  fatal: number,
): Promise<{ seen: string[]; killed: boolean; rival: unknown }> {
  const { ring: made, name } = ring({ ...OPTIONS, producers: 'multiple' });
  const consumer = made.consumer();
  const senders = [
    { seed: SEED, end: peer(language, name, 'send', COUNT, SEED, fatal) },
    { seed: RIVAL, end: peer('C', name, 'send', COUNT, RIVAL) },
  ].map(({ seed, end }) => ({ end, left: expected(seed), of: String(seed) }));
  const seen: string[] = [];
  let over = false;
  void Promise.all(senders.map(({ end }) => end.ended)).then(() => (over = true));
  for (;;) {
    const last = over;
    const got = await consumer.receive({ timeout: 20 }).catch(codeOf);
    if (got === 'ETIMEDOUT') {
      // What was sent before the end of both has come.
      if (last) break;
    } else if (typeof got === 'string') {
      seen.push(got);
    } else {
      const sender = senders.find(({ left }) => left[0]?.equals(got));
      sender?.left.shift();
      seen.push(sender?.of ?? 'torn');
    }
  }
  const [victim, rival] = await Promise.all(senders.map(({ end }) => end.ended));
  const next = attach(name);
  await next.producer().send('next');
  seen.push(String(await consumer.receive()));
  next.close();
  made.close();
  const { code, stderr } = rival!;
  return { seen, killed: victim!.signal === 'SIGKILL', rival: { code, stderr } };
}

/** What a producer sees of a consumer that is killed after so many stores, and what the next one gets. */
async function killConsumer(
  language: 'C' | 'ours',
  fatal: number,
): Promise<{ deaths: number; rest: string; killed: boolean }> {
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
  const { signal } = await receiver.ended;
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
  return { deaths, rest: came ? 'in order' : 'not in order', killed: signal === 'SIGKILL' };
}

const languages = (['C', 'ours'] as const).filter((language) => language !== 'C' || !skip);

describe.each(languages)('%s', (language) => {
  test.each(['single', 'multiple'] as const)(
    'RING-006 RING-008: a producer (%s) killed after any store leaves whole messages, is told of once, and the ring goes on',
    async (producers) => {
      let deaths = 0;
      const kills = await killAfterEach(async (fatal) => {
        const { seen, killed } = await killProducer(language, producers, fatal);
        expect(seen.at(-1)).toBe('next');
        const others = seen.slice(0, -1).filter((one) => one !== 'whole');
        expect([[], ['EOWNERDEAD']]).toContainEqual(others);
        deaths += others.length;
        return killed;
      });
      tally('killPoints', Array<string>(kills).fill('ring'));
      expect(deaths).toBeGreaterThan(COUNT);
    },
  );

  test.skipIf(skip)(
    'RING-006 RING-008: a producer killed after any store, beside another one, takes nothing of its from it',
    async () => {
      const kills = await killAfterEach(async (fatal) => {
        const { seen, killed, rival } = await killProducerBesideAnother(language, fatal);
        expect(rival, `after ${fatal} stores`).toEqual({ code: 0, stderr: '' });
        const of = (what: string): number => seen.filter((one) => one === what).length;
        expect(of(String(RIVAL)), `after ${fatal} stores`).toBe(COUNT);
        expect(of('EOWNERDEAD'), `after ${fatal} stores`).toBeLessThanOrEqual(1);
        expect(of(String(SEED)) + of('EOWNERDEAD') + COUNT + 1, seen.join(' ')).toBe(seen.length);
        expect(seen.at(-1)).toBe('next');
        return killed;
      });
      tally('killPoints', Array<string>(kills).fill('ring'));
      expect(kills).toBeGreaterThan(COUNT);
    },
  );

  test('RING-007: a consumer killed after any store leaves what it had not given back, and the sender of a full ring is told', async () => {
    let told = 0;
    const kills = await killAfterEach(async (fatal) => {
      const { deaths, rest, killed } = await killConsumer(language, fatal);
      expect(rest).toBe('in order');
      told += deaths;
      return killed;
    });
    tally('killPoints', Array<string>(kills).fill('ring'));
    expect(told).toBeGreaterThan(0);
  });
});
