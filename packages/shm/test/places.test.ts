import { ShmBroadcast, ShmRing, ShmValue, type SharedMemory } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { asUser, whyNoStranger } from '../../core/test/stranger.js';
import { closing, failure, freshName, memfd, posix } from './memories.js';
import { run } from './scripts.js';

/** A user that nobody else is. */
const STRANGER = 64_978;

const things = [
  ['ring', ShmRing, { capacity: 1024 }],
  ['broadcast', ShmBroadcast, { capacity: 1024 }],
  ['value', ShmValue, { maxSize: 8 }],
] as const;

interface Thing {
  create(where: string | SharedMemory, options: object): { close(): void };
  attach(where: string | SharedMemory): { close(): void };
}

test.each(things)('what fails with the name of a %s tells what helps with one', (_, kind, how) => {
  const thing = kind as unknown as Thing;
  const name = freshName();
  const hint = (use: () => unknown): string => {
    try {
      use();
    } catch (error) {
      const { code, hint: told } = error as { code: string; hint: string };
      return `${code}: ${told}`;
    }
    return 'nothing';
  };
  expect(hint(() => thing.attach(name))).toBe(
    'ENOENT: there is none of this name: `create` makes one',
  );
  closing(thing.create(name, { ...how, temporary: true }));
  expect(hint(() => thing.create(name, how))).toBe(
    'EEXIST: there is one of this name: `attach` to it, or `unlink` it first',
  );
});

test.each(things)('memory that is sealed against writing is no place for a %s', (_, kind, how) => {
  const thing = kind as unknown as Thing;
  const empty = memfd({ size: 8192 });
  empty.seal('future-write');
  expect(() => thing.create(empty, how)).toThrow(failure('EPERM'));
  const memory = memfd({ size: 8192 });
  thing.create(memory, how).close();
  memory.seal('future-write');
  expect(() => thing.attach(memory)).toThrow(failure('EPERM'));
});

const why =
  process.getuid?.() === 0 ? whyNoStranger(STRANGER, import.meta.filename) : 'it takes root';
if (why !== undefined) console.log(`descriptors of other users are not tried: ${why}`);

const SENDING = `
const { ShmRing, SharedMemory } = require('@octoipc/shm');
const memory = SharedMemory.fromFd(3);
ShmRing.attach(memory).producer().trySend('from uid ' + process.getuid());
`;

test.skipIf(why !== undefined)(
  'who has a descriptor of memory that is another user’s takes part in the ring in it',
  async () => {
    const memory = posix({ size: 8192, mode: 0o600 });
    const ring = ShmRing.create(memory, { capacity: 1024 });
    onTestFinished(() => ring.close());
    const args = [...asUser(STRANGER), process.execPath, '-e', SENDING];
    const { code, stderr } = await run('setpriv', args, [memory.fd]);
    expect(code, stderr).toBe(0);
    expect(String(ring.consumer().tryReceive())).toBe(`from uid ${STRANGER}`);
  },
);
