import { ShmBroadcast } from '@octoipc/shm';
import { describe, expect, test } from 'vitest';

import { tally } from '../../core/test/tally.js';
import {
  broadcast,
  compileRacingPeers,
  numberOf,
  racingPeers,
  startRacingPeer,
  value,
} from './racing.js';
import { missing } from './rings.js';

compileRacingPeers();

const COUNT = 6;
const SEED = 5;
/** More stores than there are: the last ones kill nobody. */
const STEPS = Array.from({ length: 64 }, (_, index) => index + 1);

const writers = (['C', 'native'] as const).filter((name) => !missing(racingPeers[name].tool));

/** What readers see of a producer that is killed after so many stores, and of the next one. */
async function killProducer(language: 'C' | 'native', fatal: number): Promise<string[]> {
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
  await sender.ended;
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
  return seen;
}

describe.each(writers)('%s', (language) => {
  test('a broadcast’s producer killed after any store leaves whole messages, is told of once, and the next goes on', async () => {
    let deaths = 0;
    for (const fatal of STEPS) {
      const seen = await killProducer(language, fatal);
      expect(seen, `after ${fatal} stores`).toContain('next');
      const others = seen.filter((one) => one !== 'whole' && one !== 'next');
      expect([[], ['EOWNERDEAD']], `after ${fatal} stores`).toContainEqual(others);
      deaths += others.length;
    }
    tally('killPoints', Array<string>(deaths).fill('broadcast'));
    expect(deaths).toBeGreaterThan(40);
  });

  test('a value’s writer killed after any store leaves the old state or the new one, and the next one sets it', async () => {
    const states = new Set<number>();
    let killed = 0;
    for (const fatal of STEPS) {
      const { value: made, name } = value({ maxSize: 40 });
      made.set('old');
      await startRacingPeer(language, 'value', name, 'set', COUNT, SEED, fatal).ended;
      const state = made.get()!;
      const number = String(state) === 'old' ? -1 : numberOf(state, SEED, 40);
      expect(made.version, `after ${fatal} stores`).toBe(number + 2);
      states.add(number);
      if (number < COUNT - 1) killed += 1;
      const changed = made.changed(made.version);
      made.set('next');
      expect(await changed).toBe(number + 3);
      expect(String(made.get())).toBe('next');
      made.close();
    }
    tally('killPoints', Array<string>(killed).fill('value'));
    expect(states.size).toBe(COUNT + 1);
  });
});
