import { Mutex, RwLock, type Guard } from '@octoipc/sem';
import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { freshName, mutex, named } from './objects.js';

const fixture = new URL('fixtures/poisoner.mjs', import.meta.url);
/** More than it has. */
const MOST_STEPS = 30;

const kinds = {
  Mutex: (name: string) => {
    const made = mutex({}, name);
    return { lock: () => made.lock(), reset: () => Mutex.reset(name) };
  },
  RwLock: (name: string) => {
    const made = named(RwLock, {}, name);
    return { lock: () => made.writeLock(), reset: () => RwLock.reset(name) };
  },
};

/** Whether the next owner is told of a death, and of whose; or the code of the error that he gets. */
async function foundBy(lock: () => Promise<Guard>): Promise<number | string | undefined> {
  let guard;
  try {
    guard = await lock();
  } catch (error) {
    return (error as { code: string }).code;
  }
  guard.markConsistent();
  guard.unlock();
  return guard.recovered?.pid;
}

test.each(Object.entries(kinds))(
  'who is killed while it poisons a %s leaves it poisoned, or tells that it died inside',
  async (kind, make) => {
    const found: unknown[] = [];
    const after: unknown[] = [];
    for (let step = 1, signal: string | null = 'SIGKILL'; signal !== null; step++) {
      expect(step).toBeLessThan(MOST_STEPS);
      const name = freshName();
      const { lock, reset } = make(name);
      const peer = Peer.node(fixture, [kind, name, step]);
      const ended = await peer.ended;
      ({ signal } = ended);
      expect(ended.stderr).toBe('');
      const first = await foundBy(lock);
      found.push(first === peer.pid ? 'told' : first);
      after.push(reset() ? await foundBy(lock) : undefined);
    }
    expect(new Set(found)).toEqual(new Set(['told', 'ENOTRECOVERABLE']));
    expect(found.at(-1)).toBe('ENOTRECOVERABLE');
    expect(new Set(after)).toEqual(new Set([undefined]));
  },
);
