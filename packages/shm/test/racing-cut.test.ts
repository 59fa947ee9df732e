// What becomes of broadcasts and values whose data somebody cuts off, and whose header is still there.
import { ftruncateSync } from 'node:fs';
import { createRequire } from 'node:module';

import { SharedMemory, ShmBroadcast, ShmValue } from '@octoipc/shm';
import { expect, onTestFinished, test } from 'vitest';

const PAGE = 4096;
const truncated = expect.objectContaining({ code: 'ERR_TRUNCATED' }) as Error;

function memory(): SharedMemory {
  const made = SharedMemory.memfd({ size: PAGE + 65_536 });
  onTestFinished(() => made.close());
  return made;
}

test('RING-013: send() of a broadcast whose data were cut off tells so', () => {
  const shared = memory();
  const made = ShmBroadcast.create(shared, { capacity: 65_536 });
  onTestFinished(() => made.close());
  const producer = made.producer();
  ftruncateSync(shared.fd, PAGE);
  expect(() => producer.send('lost')).toThrow(truncated);
  expect(producer.closed).toBe(true);
});

test('RING-013: a reader of a broadcast is never given half a message, of which the rest was cut off', () => {
  const shared = memory();
  const made = ShmBroadcast.create(shared, { capacity: 65_536 });
  onTestFinished(() => made.close());
  const [producer, consumer] = [made.producer(), made.consumer()];
  producer.send(Buffer.alloc(4000, 'a'));
  expect(consumer.tryReceive()).toHaveLength(4000);
  producer.send(Buffer.alloc(500, 'b'));
  ftruncateSync(shared.fd, 2 * PAGE);
  expect(() => consumer.tryReceive()).toThrow(truncated);
  expect(consumer.closed).toBe(true);
});

/** A value of two pages of which the second is cut off. */
function cutValue(): ShmValue {
  const shared = memory();
  const made = ShmValue.create(shared, { maxSize: 2 * PAGE });
  onTestFinished(() => made.close());
  // The even versions are in the first slot.
  made.set('1');
  made.set(Buffer.alloc(2 * PAGE, 'a'));
  ftruncateSync(shared.fd, 2 * PAGE);
  return made;
}

test('RING-013: a value of which a part was cut off is not given', () => {
  const made = cutValue();
  expect(() => made.get()).toThrow(truncated);
  expect(made.closed).toBe(true);
});

test('RING-013: set() of a value whose room was cut off tells so', () => {
  const made = cutValue();
  expect(() => made.set('3')).toThrow(truncated);
  expect(made.closed).toBe(true);
});

test('RING-013: who waits for a value that was cut off is told of no version', async () => {
  const shared = memory();
  const made = ShmValue.create(shared, { maxSize: 64 });
  onTestFinished(() => made.close());
  made.set('1');
  ftruncateSync(shared.fd, 0);
  await expect(made.changed(1)).rejects.toThrow(truncated);
});

test('a message that comes in the place of another, and is longer, is received all the same', () => {
  const native = createRequire(import.meta.url)('../build/Release/shm.node') as {
    broadcastTake(...args: unknown[]): number;
  };
  const shared = SharedMemory.memfd({ size: PAGE + 2 ** 23 });
  const made = ShmBroadcast.create(shared, { capacity: 2 ** 23 });
  onTestFinished(() => {
    made.close();
    shared.close();
  });
  const [producer, consumer] = [made.producer(), made.consumer()];
  producer.send(Buffer.alloc(300_000, 'a'));
  const { broadcastTake } = native;
  let calls = 0;
  native.broadcastTake = (...args) => {
    // Between two looks the producer goes round.
    if (++calls === 2) for (let i = 0; i < 20; i++) producer.send(Buffer.alloc(1_000_000, 'b'));
    return broadcastTake(...args);
  };
  onTestFinished(() => {
    native.broadcastTake = broadcastTake;
  });
  expect(consumer.tryReceive()).toHaveLength(1_000_000);
  expect(calls).toBeGreaterThan(2);
  expect(consumer.missed).toBeGreaterThan(0);
});
