import type { Iterated, IterationAdapter } from '@octoipc/conformance';
import { SharedMemory, ShmBroadcast, ShmRing, shmReceiver } from '@octoipc/shm';

const mechanism = 'RING';

/** A ring or a broadcast that nobody else can find. */
function nameless<T>(create: (memory: SharedMemory) => T): T {
  const memory = SharedMemory.memfd({ size: 4096 + 4096 });
  try {
    return create(memory);
  } finally {
    memory.close();
  }
}

const over = (
  made: ShmRing | ShmBroadcast,
  receiver: AsyncIterable<Buffer> & Iterated['handle'],
): Iterated => {
  let producer: { send(message: Uint8Array): Promise<void> | void } | undefined;
  return {
    iterate: () => receiver[Symbol.asyncIterator](),
    handle: receiver,
    give: (token) => (producer ??= made.producer()).send(Uint8Array.of(token)),
    token: (message: Buffer) => message[0],
    close: () => made.close(),
  };
};

/** What one iterates over here. */
export const iterations: readonly IterationAdapter[] = [
  {
    name: 'RingConsumer',
    mechanism,
    open() {
      const ring = nameless((memory) => ShmRing.create(memory, { capacity: 4096 }));
      return over(ring, ring.consumer());
    },
  },
  {
    name: 'BroadcastConsumer',
    mechanism,
    open() {
      const broadcast = nameless((memory) => ShmBroadcast.create(memory, { capacity: 4096 }));
      return over(broadcast, broadcast.consumer());
    },
  },
  {
    name: 'shmReceiver()',
    mechanism,
    open() {
      const memory = SharedMemory.memfd({ size: 4096 + 4096 });
      const receiver = shmReceiver(ShmRing.create(memory, { capacity: 4096 }));
      const other = ShmRing.attach(memory);
      memory.close();
      const iterated = over(other, receiver);
      return {
        ...iterated,
        close() {
          receiver.close();
          other.close();
        },
      };
    },
  },
];
