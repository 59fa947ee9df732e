import { SharedMemory, ShmBroadcast, ShmRing, ShmValue } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

import { numbers } from './rings.js';

const ROUNDS = 1000;

const random = numbers(77);
const draw = (below: number): number => (random.next().value as number) % below;

/** Words of the header that matter, and of the data. */
const PLACES = [16, 17, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 48, 64, 128, 129, 130, 131];

function damage(words: Int32Array): void {
  for (let i = draw(4); i >= 0; i--) {
    const at = draw(2) === 0 ? PLACES[draw(PLACES.length)]! : 1024 + draw(64);
    words[at] = draw(2) === 0 ? draw(1024) : draw(2 ** 32);
  }
}

/** What came of it: an error's code, or whether the end that found the damage is closed. */
function codeOf(end: { closed: boolean }, use: () => void): string {
  try {
    use();
    return 'fine';
  } catch (error) {
    const { code } = error as { code: string };
    return code === 'EBADMSG' && !end.closed ? 'damaged, but not closed' : code;
  }
}

test('RING-010: whatever is written into a broadcast, it is EBADMSG or a message, and never more', () => {
  const codes = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const memory = SharedMemory.memfd({ size: 4096 + 256 });
    const made = ShmBroadcast.create(memory, { capacity: 256 });
    const [producer, consumer] = [made.producer(), made.consumer()];
    for (let i = draw(30); i > 0; i--) producer.send(Buffer.alloc(draw(made.maxMessageSize + 1)));
    damage(memory.view(Int32Array));
    codes.add(
      codeOf(consumer, () => {
        for (let i = 0; i < 20; i++) {
          consumer.tryReceive();
          if (i % 3 === 0) producer.send(Buffer.alloc(draw(made.maxMessageSize + 1)));
        }
      }),
    );
    const late = codeOf({ closed: true }, () => made.consumer({ from: 'oldest' }).tryReceive());
    codes.add(late);
    made.close();
    memory.close();
  }
  expect([...codes].toSorted()).toEqual(['EBADMSG', 'EOWNERDEAD', 'fine']);
});

test('RING-010: whatever is written into a value, it is EBADMSG or a state, and never more', () => {
  const codes = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const memory = SharedMemory.memfd({ size: 4096 + 256 });
    const made = ShmValue.create(memory, { maxSize: 100 });
    for (let i = draw(3); i > 0; i--) made.set(Buffer.alloc(draw(101)));
    damage(memory.view(Int32Array));
    // Who lives and has his turn is waited for: that takes 100 ms.
    memory.view(BigUint64Array)[64] = 0n;
    codes.add(
      codeOf(made, () => {
        for (let i = 0; i < 10; i++) {
          made.get();
          if (i % 3 === 0) made.set(Buffer.alloc(draw(101)));
        }
      }),
    );
    made.close();
    memory.close();
  }
  expect([...codes].toSorted()).toEqual(['EBADMSG', 'fine']);
});

test('a value whose writer stands still is EBUSY after a while, and the old state is there', () => {
  const memory = SharedMemory.memfd({ size: 4096 + 256 });
  const made = ShmValue.create(memory, { maxSize: 100 });
  made.set('old');
  // Of another pid namespace: nobody can say that it is dead.
  memory.view(BigUint64Array)[64] = 1n | (1n << 54n);
  expect(() => made.set('new')).toThrow(expect.objectContaining({ code: 'EBUSY' }));
  expect(String(made.get())).toBe('old');
  made.close();
  memory.close();
});

/** What each end does where nobody waits. */
const ends: Record<string, (memory: SharedMemory) => [{ closed: boolean }, () => unknown]> = {
  'trySend() to a ring': (memory) => {
    const producer = ShmRing.create(memory, { capacity: 256 }).producer();
    return [producer, () => producer.trySend('lost')];
  },
  'claim() of a ring': (memory) => {
    const producer = ShmRing.create(memory, { capacity: 256 }).producer();
    return [producer, () => producer.claim(4)?.abort()];
  },
  'tryReceive() from a ring': (memory) => {
    const consumer = ShmRing.create(memory, { capacity: 256 }).consumer();
    return [consumer, () => consumer.tryReceive()];
  },
  'consume() of a ring': (memory) => {
    const consumer = ShmRing.create(memory, { capacity: 256 }).consumer();
    return [consumer, () => consumer.consume(() => {})];
  },
  'send() to a broadcast': (memory) => {
    const producer = ShmBroadcast.create(memory, { capacity: 256 }).producer();
    return [producer, () => producer.send('lost')];
  },
  'tryReceive() from a broadcast': (memory) => {
    const consumer = ShmBroadcast.create(memory, { capacity: 256 }).consumer();
    return [consumer, () => consumer.tryReceive()];
  },
  'set() of a value': (memory) => {
    const value = ShmValue.create(memory, { maxSize: 64 });
    return [value, () => value.set('lost')];
  },
};

test.each(Object.keys(ends))(
  'RING-010: %s that was wiped out is EBADMSG, and lost to nobody',
  (name) => {
    const memory = SharedMemory.memfd({ size: 4096 + 256 });
    onTestFinished(() => memory.close());
    const [end, use] = ends[name]!(memory);
    use();
    memory.bytes.fill(0);
    expect(use).toThrow(expect.objectContaining({ code: 'EBADMSG' }));
    expect(end.closed).toBe(true);
  },
);
