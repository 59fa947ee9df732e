import { ShmBroadcast } from '@octoipc/shm';
import { describe, expect, test } from 'vitest';

import { sleepingIn } from '../../core/test/proc.js';
import { tally } from '../../core/test/tally.js';
import {
  broadcast,
  compileRacingPeers,
  numbered,
  numberOf,
  racingPeer,
  racingPeers,
  startRacingPeer,
  value,
} from './racing.js';
import { killAfterEach, missing } from './rings.js';

compileRacingPeers();

const COUNT = 6;
const SEED = 5;
/** Of another writer's messages. */
const RIVAL = 11;

const writers = (['C', 'native'] as const).filter((name) => !missing(racingPeers[name].tool));

/** What readers see of a producer that is killed after so many stores, and of the next one. */
async function killProducer(
  language: 'C' | 'native',
  fatal: number,
): Promise<{ seen: string[]; killed: boolean }> {
  const { broadcast: made, name } = broadcast({ capacity: 256, maxMessageSize: 40 });
  const other = made.consumer();
  const consumer = made.consumer();
  const sender = startRacingPeer(language, 'broadcast', name, 'send', COUNT, SEED, fatal);
  const seen: string[] = [];
  const receiveOne = async (): Promise<boolean> => {
    try {
      const message = await consumer.receive({ timeout: 30_000 });
      const number = consumer.missed + seen.length;
      seen.push(numberOf(message, SEED, 40) === number ? 'whole' : 'torn');
      return number < COUNT - 1;
    } catch (error) {
      seen.push((error as { code: string }).code);
      return false;
    }
  };
  while (await receiveOne());
  const { signal } = await sender.ended;
  const attached = ShmBroadcast.attach(name);
  attached.producer().send('next');
  const late = attached.consumer({ from: 'oldest' });
  let last = '';
  for (let message = late.tryReceive(); message !== undefined; message = late.tryReceive()) {
    last = String(message);
  }
  seen.push(last);
  // One that had not read anything yet sees it as well; what the dead had overwritten it has missed.
  for (let message = ''; message !== 'next';) {
    const got = await other.receive({ timeout: 30_000 }).catch((error: { code: string }) => {
      if (error.code !== 'EOWNERDEAD') throw error;
    });
    message = String(got);
    if (got !== undefined && message !== 'next' && numberOf(got, SEED, 40) < 0) seen.push('torn');
  }
  attached.close();
  made.close();
  return { seen, killed: signal === 'SIGKILL' };
}

/** What a reader that lives sees while another one is killed after so many stores. */
async function killReader(fatal: number): Promise<{ living: unknown; killed: boolean }> {
  const { broadcast: made, name } = broadcast({ capacity: 256, maxMessageSize: 40 });
  const living = await racingPeer('C', 'broadcast', name, 'receive', COUNT, SEED);
  const victim = startRacingPeer('C', 'broadcast', name, 'receive', COUNT, SEED, fatal);
  // It may be killed before it has joined, or before it sleeps, which is what it stores.
  await victim.line().catch(() => {});
  await Promise.race([victim.ended, sleepingIn('futex', victim.pid).catch(() => {})]);
  const producer = made.producer();
  for (let number = 0; number < COUNT; number++) producer.send(numbered(number, SEED, 40));
  const { code, stderr } = await living.ended;
  const { signal } = await victim.ended;
  made.close();
  return { living: { code, stderr }, killed: signal === 'SIGKILL' };
}

describe.each(writers)('%s', (language) => {
  test('a broadcast’s producer killed after any store leaves whole messages, is told of once, and the next goes on', async () => {
    let deaths = 0;
    const kills = await killAfterEach(async (fatal) => {
      const { seen, killed } = await killProducer(language, fatal);
      expect(seen, `after ${fatal} stores`).toContain('next');
      const others = seen.filter((one) => one !== 'whole' && one !== 'next');
      expect([[], ['EOWNERDEAD']], `after ${fatal} stores`).toContainEqual(others);
      deaths += others.length;
      return killed;
    });
    tally('killPoints', Array<string>(kills).fill('broadcast'));
    expect(deaths).toBeGreaterThan(30);
  });

  test('a value’s writer killed after any store leaves the old state or the new one, and the next one sets it', async () => {
    const states = new Set<number>();
    const kills = await killAfterEach(async (fatal) => {
      const { value: made, name } = value({ maxSize: 40 });
      made.set('old');
      const writer = startRacingPeer(language, 'value', name, 'set', COUNT, SEED, fatal);
      const { signal } = await writer.ended;
      const state = made.get()!;
      const number = String(state) === 'old' ? -1 : numberOf(state, SEED, 40);
      expect(made.version, `after ${fatal} stores`).toBe(number + 2);
      states.add(number);
      const changed = made.changed(made.version);
      made.set('next');
      expect(await changed).toBe(number + 3);
      expect(String(made.get())).toBe('next');
      made.close();
      return signal === 'SIGKILL';
    });
    tally('killPoints', Array<string>(kills).fill('value'));
    expect(states.size).toBe(COUNT + 1);
  });

  test('a value’s writer killed after any store, beside another one, keeps nobody from setting it', async () => {
    const kills = await killAfterEach(async (fatal) => {
      const { value: made, name } = value({ maxSize: 40 });
      const rival = startRacingPeer(language, 'value', name, 'set', COUNT, RIVAL, 0);
      const victim = startRacingPeer(language, 'value', name, 'set', COUNT, SEED, fatal);
      const { code, stderr } = await rival.ended;
      expect({ code, stderr }, `after ${fatal} stores`).toEqual({ code: 0, stderr: '' });
      const { signal } = await victim.ended;
      const state = made.get()!;
      const numbers = [SEED, RIVAL].map((seed) => numberOf(state, seed, 40));
      expect(Math.max(...numbers), `after ${fatal} stores`).toBeGreaterThanOrEqual(0);
      const { version } = made;
      expect(version).toBeGreaterThanOrEqual(COUNT);
      expect(version).toBeLessThanOrEqual(2 * COUNT);
      const changed = made.changed(version);
      made.set('next');
      expect(await changed).toBe(version + 1);
      expect(String(made.get())).toBe('next');
      made.close();
      return signal === 'SIGKILL';
    });
    tally('killPoints', Array<string>(kills).fill('value'));
    expect(kills).toBeGreaterThan(COUNT);
  });
});

test.skipIf(!writers.includes('C'))(
  'a broadcast’s reader killed after any store takes nothing from another one',
  async () => {
    const kills = await killAfterEach(async (fatal) => {
      const { living, killed } = await killReader(fatal);
      expect(living, `after ${fatal} stores`).toEqual({ code: 0, stderr: '' });
      return killed;
    });
    tally('killPoints', Array<string>(kills).fill('broadcast'));
    expect(kills).toBeGreaterThan(0);
  },
);
