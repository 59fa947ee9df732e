import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

import { Barrier } from '@octoipc/sem';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, isPending, named, until } from './objects.js';

const code = (name: string) => expect.objectContaining({ code: name }) as Error;

/** As docs/layout.md has them. */
const [WORD, GENERATION, SLOT, SLOT_STATE] = [0, 44, 64, 68];
const COUNTED = 2;

/** A barrier for one test, and its file. */
function opened(parties = 2) {
  const name = freshName();
  const made = named(Barrier, { parties } as object, name);
  const file = openSync(`/dev/shm/barrier.${name.slice(1)}`, 'r+');
  onTestFinished(() => closeSync(file));
  return {
    name,
    made,
    put: (at: number, value: number) => writeSync(file, Uint32Array.of(value), 0, 4, at),
    get(at: number) {
      const value = new Uint32Array(1);
      readSync(file, value, 0, 4, at);
      return value[0];
    },
  };
}

/** A thread that lives, and has nothing to do with barriers. */
const SOMEBODY = process.pid;

describe('while somebody is stopped who has the word', () => {
  test('a real one: arrive() can be late, leaves the event loop alone, and succeeds later', async () => {
    const { name, made } = opened();
    const peer = Peer.node(new URL('./fixtures/stopped-inside.mjs', import.meta.url), [name]);
    const state = (): string =>
      readFileSync(`/proc/${peer.pid}/stat`, 'latin1').split(') ').at(-1)!.charAt(0);
    await until(() => state() === 'T');
    await expect(made.arrive({ timeout: 20 })).rejects.toThrow(code('ETIMEDOUT'));
    expect(() => made.arriveSync({ timeout: 20 })).toThrow(code('ETIMEDOUT'));
    const late = made.arrive();
    expect(await isPending(late)).toBe(true);
    peer.child.kill('SIGCONT');
    const outcomes = [await late, (await peer.ended).stdout === 'true\n'];
    expect(outcomes.toSorted()).toEqual([false, true]);
    expect(made.arrived).toBe(0);
  }, 60_000);

  test('who cannot arrive is aborted, is told that the handle is closed, or arrives in the end', async () => {
    const { made, put } = opened();
    put(WORD, SOMEBODY);
    const controller = new AbortController();
    const aborted = made.arrive({ signal: controller.signal });
    const patient = made.arrive();
    controller.abort();
    await expect(aborted).rejects.toBe(controller.signal.reason);
    expect(made.arrived).toBe(0);
    put(WORD, 0);
    await until(() => made.arrived === 1);
    put(WORD, SOMEBODY);
    const closed = made.arrive();
    const both = Promise.allSettled([patient, closed]);
    made.close();
    const reasons = (await both).map((one) => one.status === 'rejected' && (one.reason as Error));
    expect(reasons).toEqual([code('ERR_CLOSED'), code('ERR_CLOSED')]);
  });

  test('who has arrived gives up at once', async () => {
    const { made, put } = opened();
    const controller = new AbortController();
    const wait = made.arrive({ signal: controller.signal });
    expect(made.arrived).toBe(1);
    put(WORD, SOMEBODY);
    controller.abort();
    await expect(wait).rejects.toBe(controller.signal.reason);
    expect(made.arrived).toBe(0);
    put(WORD, 0);
  });
});

describe('who gives up while he is being counted', () => {
  test('has passed if the barrier opens', async () => {
    const { made, put } = opened();
    const controller = new AbortController();
    const wait = made.arrive({ signal: controller.signal });
    put(WORD, SOMEBODY);
    put(SLOT_STATE, COUNTED);
    controller.abort();
    expect(await isPending(wait)).toBe(true);
    put(GENERATION, 1);
    put(WORD, 0);
    expect(await wait).toBe(false);
    expect([made.arrived, made.closed]).toEqual([0, false]);
  });

  test('has not if it does not, because who counted has died', async () => {
    const { made, put, get } = opened();
    const controller = new AbortController();
    const wait = made.arrive({ signal: controller.signal });
    put(WORD, SOMEBODY);
    put(SLOT_STATE, COUNTED);
    controller.abort();
    expect(await isPending(wait)).toBe(true);
    put(WORD, 0x4000_0000);
    await expect(wait).rejects.toBe(controller.signal.reason);
    expect([made.arrived, get(SLOT)]).toEqual([0, 0]);
  });

  test('leaves nothing behind when the handle is closed meanwhile', async () => {
    const { made, put, get } = opened();
    const controller = new AbortController();
    const wait = made.arrive({ signal: controller.signal });
    put(WORD, SOMEBODY);
    put(SLOT_STATE, COUNTED);
    controller.abort();
    made.close();
    await expect(wait).rejects.toBe(controller.signal.reason);
    expect(get(SLOT)).toBe(0);
  });

  test('counts for the next who comes last, if who counted has died and he has not given up', async () => {
    const { made, put } = opened();
    const wait = made.arrive();
    put(SLOT_STATE, COUNTED);
    expect(made.arrived).toBe(1);
    expect(made.arriveSync()).toBe(true);
    expect(await wait).toBe(false);
  });
});
