import { SysvQueue } from '@octoipc/mq';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Peer } from '../../core/test/peer.js';
import { posix, sysv } from './queues.js';

const script = new URL('fixtures/model-peer.mjs', import.meta.url);
const CAPACITY = 8;
const PROCESSES = 3;

interface Entry {
  readonly text: string;
  readonly kind: number;
}

/** A queue as it should be: the highest priority first, and within one the order of sending. */
class StableQueue {
  readonly #entries: Entry[] = [];

  send(entry: Entry): boolean {
    if (this.#entries.length === CAPACITY) return false;
    this.#entries.push(entry);
    return true;
  }

  receive(): Entry | undefined {
    const highest = Math.max(...this.#entries.map(({ kind }) => kind));
    return this.#take(({ kind }) => kind === highest);
  }

  /** The oldest of those that suit, of the lowest type if that is asked for. */
  select(suits: (kind: number) => boolean, lowest: boolean): Entry | undefined {
    const kinds = this.#entries.map(({ kind }) => kind).filter(suits);
    const least = Math.min(...kinds);
    return this.#take(({ kind }) => (lowest ? kind === least : suits(kind)));
  }

  #take(wanted: (entry: Entry) => boolean): Entry | undefined {
    const index = this.#entries.findIndex(wanted);
    return index < 0 ? undefined : this.#entries.splice(index, 1)[0];
  }
}

const who = fc.nat({ max: PROCESSES - 1 });
const priorities = fc.constantFrom(undefined, undefined, 0, 1, 2, 5, 32_767);
const steps = fc.array(fc.record({ who, priority: priorities }), { minLength: 1, maxLength: 60 });

/** A message as the model has it. */
function shown(
  message: { data: Buffer; priority?: number; type?: number } | undefined,
): Entry | undefined {
  if (message === undefined) return undefined;
  return { text: String(message.data), kind: message.priority ?? message.type ?? 0 };
}

/** What the other process says of a message. */
function asReport(entry: Entry | undefined): object {
  return entry === undefined ? {} : { text: entry.text, priority: entry.kind };
}

describe('PosixQueue', () => {
  test('MQ-026: is a stable priority queue, whichever of several processes sends and receives', async () => {
    const queue = posix({ maxMessages: CAPACITY, maxMessageSize: 16 });
    const peers = Array.from({ length: PROCESSES }, () => Peer.node(script, [queue.name]));
    for (const peer of peers) expect(await peer.line()).toBe('ready');
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const model = new StableQueue();
        for (const [index, step] of all.entries()) {
          const { priority } = step;
          const text = String(index);
          const peer = peers[step.who]!;
          peer.tell(priority === undefined ? '{}' : JSON.stringify({ text, priority }));
          const expected =
            priority === undefined
              ? asReport(model.receive())
              : { sent: model.send({ text, kind: priority }) };
          expect(await peer.report()).toEqual(expected);
        }
        while (queue.tryReceive() !== undefined);
      }),
      { numRuns: 40 },
    );
  });

  test('MQ-026: 1000 messages of random priorities come as from a stable priority queue', () => {
    const queue = posix({ maxMessages: CAPACITY, maxMessageSize: 16 });
    const model = new StableQueue();
    let sent = 0;
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat({ max: 9 })), { minLength: 100 }), (all) => {
        for (const [index, priority] of all.entries()) {
          const text = String(index);
          sent += priority === null ? 0 : 1;
          const [is, expected] =
            priority === null
              ? [shown(queue.tryReceive()), model.receive()]
              : [queue.trySend(text, { priority }), model.send({ text, kind: priority })];
          expect(is).toEqual(expected);
        }
      }),
      { numRuns: 20 },
    );
    const rest = Array.from({ length: CAPACITY + 1 }, () => shown(queue.tryReceive()));
    expect(rest).toEqual(rest.map(() => model.receive()));
    expect(sent).toBeGreaterThan(1000);
  });
});

/** A selection, and what it means. */
const selection = fc.oneof(
  fc.constant({ options: {}, suits: () => true, lowest: false }),
  fc.integer({ min: 1, max: 5 }).map((type) => ({
    options: { type },
    suits: (kind: number) => kind === type,
    lowest: false,
  })),
  fc.integer({ min: 1, max: 5 }).map((type) => ({
    options: { type: -type },
    suits: (kind: number) => kind <= type,
    lowest: true,
  })),
  fc.integer({ min: 1, max: 5 }).map((type) => ({
    options: { except: type },
    suits: (kind: number) => kind !== type,
    lowest: false,
  })),
);

describe('SysvQueue', () => {
  test('SVMSG-017 SVMSG-018 SVMSG-019 SVMSG-020: selects by type as the manual says, whatever was sent', async () => {
    const queue = sysv();
    const other = SysvQueue.fromId(queue.id);
    const all = fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), selection));
    await fc.assert(
      fc.asyncProperty(all, async (each) => {
        const model = new StableQueue();
        for (const [index, step] of each.entries()) {
          if (typeof step === 'number') {
            const text = String(index);
            if (model.send({ text, kind: step })) await queue.send(text, { type: step });
            continue;
          }
          const message = shown(other.tryReceive(step.options));
          expect(message).toEqual(model.select(step.suits, step.lowest));
        }
        while (other.tryReceive() !== undefined);
      }),
      { numRuns: 200 },
    );
    other.close();
  });
});
