import { describe, expect, test } from 'vitest';

import { SharedMemory, ShmBroadcast, ShmRing, ShmValue } from '../src/index.js';
import { BROADCAST, racingHeader, slotFor, VALUE } from '../src/racing-layout.js';
import { ringHeader } from '../src/ring-layout.js';
import { putHeader } from '../src/shared-header.js';
import { linesOf, vectors } from './vectors.js';

const ID = Uint8Array.from({ length: 16 }, (_, index) => index);

/** The memory without the namespace, which is this machine's. */
function dump(memory: SharedMemory): Record<string, string> {
  memory.bytes.fill(0, 48, 56);
  const lines = linesOf(memory.bytes);
  memory.close();
  return lines;
}

const text = (word: string): string => word.slice(1);

describe('this package makes the vector of', () => {
  test.each(vectors.ring)('a ring: $script', ({ script, memory }) => {
    const made = SharedMemory.memfd({ size: 4096 + 64 });
    putHeader(made, ringHeader({ capacity: 64, maxMessageSize: 24, turns: false }, ID));
    const ring = ShmRing.attach(made);
    const [producer, consumer] = [ring.producer(), ring.consumer()];
    for (const word of script) {
      if (word === '-') consumer.tryReceive();
      else producer.sendSync(text(word), { timeout: 0 });
    }
    ring.close();
    expect(dump(made)).toEqual(memory);
  });

  test.each(vectors.broadcast)('a broadcast: $script', ({ script, memory }) => {
    const made = SharedMemory.memfd({ size: 4096 + 256 });
    putHeader(made, racingHeader(BROADCAST, { size: 256, longest: 48 }, ID));
    const broadcast = ShmBroadcast.attach(made);
    const producer = broadcast.producer();
    for (const word of script) producer.send(text(word));
    broadcast.close();
    expect(dump(made)).toEqual(memory);
  });

  test.each(vectors.value)('a value: $script', ({ script, memory }) => {
    const made = SharedMemory.memfd({ size: 4096 + 128 });
    putHeader(made, racingHeader(VALUE, { size: slotFor(24), longest: 24 }, ID));
    const value = ShmValue.attach(made);
    for (const word of script) value.set(text(word));
    value.close();
    expect(dump(made)).toEqual(memory);
  });
});
