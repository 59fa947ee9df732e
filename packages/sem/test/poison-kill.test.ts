import { Mutex, RwLock } from '@octoipc/sem';
import { expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { mutex, named, freshName } from './objects.js';

const fixture = new URL('fixtures/poisoner.mjs', import.meta.url);
/** More than it has. */
const MOST_STEPS = 30;

test.each([
  { kind: 'Mutex', reset: (name: string) => Mutex.reset(name) },
  { kind: 'RwLock', reset: (name: string) => RwLock.reset(name) },
])(
  'who is killed while it poisons a $kind leaves it poisoned, or tells that it died inside',
  async ({ kind, reset }) => {
    for (let step = 1; ; step++) {
      expect(step).toBeLessThan(MOST_STEPS);
      const name = freshName();
      const lock = kind === 'Mutex' ? mutex({}, name) : named(RwLock, {}, name);
      const peer = Peer.node(fixture, [kind, name, step]);
      const { signal, stdout, stderr } = await peer.ended;
      const taken = await (lock instanceof Mutex ? lock.lock() : lock.writeLock()).catch(
        (error: unknown) => error as { code: string },
      );
      if ('code' in taken) {
        expect(taken.code).toBe('ENOTRECOVERABLE');
        expect(reset(name)).toBe(true);
        const anew = lock instanceof Mutex ? lock.tryLock() : lock.tryWriteLock();
        expect(anew?.recovered).toBeNull();
        anew?.unlock();
      } else {
        expect(taken.recovered, `step ${step}`).toEqual({ pid: peer.pid });
        taken.markConsistent();
        taken.unlock();
      }
      if (signal === 'SIGKILL') continue;
      expect({ signal, stdout, stderr }).toEqual({
        signal: null,
        stdout: 'poisoned\n',
        stderr: '',
      });
      expect(step).toBeGreaterThan(3);
      return;
    }
  },
);
