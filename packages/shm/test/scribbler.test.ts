import { once } from 'node:events';
import { openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { SharedMemory, ShmBroadcast, ShmRing, ShmValue } from '@octoipc/shm';
import { describe, expect, test } from 'vitest';

import { numbers } from './rings.js';

/** Objects that are used up, one after another, and the operations on each. */
const OBJECTS = 150;
const OPERATIONS = 50;

/** Words of the header that matter; those of the data the worker knows. */
const PLACES = [16, 17, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 48, 64, 80, 144];
/** Whose turn it is to set a value: whoever lives and has it is waited for, a tenth of a second each time. */
const SETTER = [128, 129];

/** As the worker has them. */
const [TURN, WRITTEN, HELD] = [0, 1, 2];
/** For the worker to hold still. */
const PATIENCE = 30_000;

const random = numbers(177);
const draw = (below: number): number => (random.next().value as number) % below;

/** A worker that scribbles over memory, between `go` and `hold`. */
class Scribbler {
  readonly #told = new Int32Array(new SharedArrayBuffer(12));
  readonly #online: Promise<unknown[]>;
  readonly #ended: Promise<unknown[]>;

  constructor(memory: SharedMemory, places: readonly number[]) {
    this.#told[TURN] = 1;
    const fd = openSync(`/proc/self/fd/${memory.fd}`, 'r+');
    const workerData = { fd, places, told: this.#told };
    const worker = new Worker(new URL('fixtures/scribbler.mjs', import.meta.url), { workerData });
    this.#online = once(worker, 'online');
    this.#ended = once(worker, 'exit');
  }

  /** Resolves when it holds still for the first time. */
  async started(): Promise<void> {
    await this.#online;
    if (Atomics.wait(this.#told, HELD, 0, PATIENCE) === 'timed-out') throw new Error('no worker');
  }

  go(): void {
    Atomics.add(this.#told, TURN, 1);
    Atomics.notify(this.#told, TURN);
  }

  /** Nothing is written from now on. */
  hold(): void {
    const turn = Atomics.add(this.#told, TURN, 1) + 1;
    const held = Atomics.wait(this.#told, HELD, turn - 2, PATIENCE);
    if (held === 'timed-out') throw new Error('the worker goes on');
  }

  /** Ends it; its status, and how many words it has written. */
  async end(): Promise<{ status: unknown; written: number }> {
    Atomics.store(this.#told, TURN, -1);
    Atomics.notify(this.#told, TURN);
    const [status] = await this.#ended;
    return { status, written: this.#told[WRITTEN]! };
  }
}

interface Target {
  readonly closed: boolean;
  operate(): void;
  close(): void;
}

const size = 4096 + 512;

function ring(memory: SharedMemory): Target {
  const made = ShmRing.create(memory, { capacity: 256 });
  const [producer, consumer] = [made.producer(), made.consumer()];
  return {
    get closed() {
      return producer.closed || consumer.closed;
    },
    operate() {
      producer.trySend(Buffer.alloc(draw(60)));
      const claim = draw(4) === 0 ? producer.claim(draw(60)) : null;
      claim?.bytes.fill(1);
      claim?.commit();
      consumer.consume((view) => void view.at(-1), { max: 1 });
      consumer.tryReceive();
    },
    close: () => made.close(),
  };
}

function broadcast(memory: SharedMemory): Target {
  const made = ShmBroadcast.create(memory, { capacity: 256 });
  const [producer, consumer] = [made.producer(), made.consumer()];
  return {
    get closed() {
      return producer.closed || consumer.closed;
    },
    operate() {
      producer.send(Buffer.alloc(draw(made.maxMessageSize + 1)));
      consumer.tryReceive();
    },
    close: () => made.close(),
  };
}

function value(memory: SharedMemory): Target {
  const made = ShmValue.create(memory, { maxSize: 100 });
  return {
    get closed() {
      return made.closed;
    },
    operate() {
      made.set(Buffer.alloc(draw(101)));
      made.get();
    },
    close: () => made.close(),
  };
}

const targets = [
  { what: 'a ring', make: ring, places: [...PLACES, ...SETTER] },
  { what: 'a broadcast', make: broadcast, places: [...PLACES, ...SETTER] },
  { what: 'a value', make: value, places: PLACES },
];

describe('a peer that writes into the memory while it is used', () => {
  test.each(targets)('RING-010: $what gives messages, or an error with a code', async (target) => {
    const codes = new Set<unknown>();
    const memory = SharedMemory.memfd({ size });
    const peer = new Scribbler(memory, target.places);
    await peer.started();
    let done = 0;
    for (let i = 0; i < OBJECTS; i++) {
      memory.bytes.fill(0);
      const made = target.make(memory);
      peer.go();
      for (let j = 0; j < OPERATIONS && !made.closed; j++) {
        try {
          made.operate();
          done += 1;
        } catch (error) {
          codes.add((error as { code?: unknown }).code);
        }
      }
      peer.hold();
      made.close();
    }
    const { status, written } = await peer.end();
    expect(status).toBe(0);
    expect(written).toBeGreaterThan(OBJECTS);
    memory.close();
    expect(done).toBeGreaterThan(0);
    const known = ['EBADMSG', 'EOWNERDEAD', 'EBUSY', 'EMSGSIZE'];
    expect([...codes].filter((code) => !known.includes(code as string))).toEqual([]);
    expect([...codes]).toContain('EBADMSG');
  });
});
