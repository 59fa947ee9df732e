import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import type { RingConsumer, RingProducer } from '@octoipc/shm';
import { describe, expect, test } from 'vitest';

import { codeNow, codeOf } from '../../core/test/failure.js';
import { Peer } from '../../core/test/peer.js';
import { attach, ring } from './rings.js';

const folder = join(import.meta.dirname, '..');

/** What one message in the ring says, taken without a copy. */
function taken(consumer: RingConsumer): string | undefined {
  let text: string | undefined;
  consumer.consume((view) => (text = Buffer.from(view).toString()), { max: 1 });
  return text;
}

/** Puts a message into the ring itself. */
function put(producer: RingProducer, text: string): boolean {
  const claim = producer.claim(text.length);
  claim?.bytes.set(Buffer.from(text));
  claim?.commit();
  return claim !== null;
}

function full(): { consumer: RingConsumer; producer: RingProducer } {
  const { ring: made } = ring({ capacity: 128, maxMessageSize: 24 });
  const [producer, consumer] = [made.producer(), made.consumer()];
  while (put(producer, 'x'.repeat(24)));
  return { producer, consumer };
}

describe('readable()', () => {
  test('resolves when there is a message, and takes none', async () => {
    const { ring: made, name } = ring();
    const [producer, consumer] = [attach(name).producer(), made.consumer()];
    const waits = [consumer.readable(), consumer.readable()];
    expect(put(producer, 'one')).toBe(true);
    expect(await Promise.all(waits)).toEqual([undefined, undefined]);
    await consumer.readable({ timeout: 0 });
    consumer.readableSync({ timeout: 0 });
    expect(taken(consumer)).toBe('one');
    expect(await codeOf(() => consumer.readable({ timeout: 1 }))).toBe('ETIMEDOUT');
    expect(codeNow(() => consumer.readableSync({ timeout: 1 }))).toBe('ETIMEDOUT');
  });

  test('comes before a receive that was called later', async () => {
    const { ring: made } = ring();
    const [producer, consumer] = [made.producer(), made.consumer()];
    const order: string[] = [];
    const waits = [
      consumer.readable().then(() => order.push('readable')),
      consumer.receive().then((message) => order.push(String(message))),
    ];
    await producer.send('one');
    await Promise.all(waits);
    expect(order).toEqual(['readable', 'one']);
  });

  test('begun in a callback of consume() it is served when that has returned', async () => {
    const { ring: made } = ring();
    const [producer, consumer] = [made.producer(), made.consumer()];
    await producer.sendMany(['one', 'two']);
    const waits: Promise<void>[] = [];
    const refused: (string | undefined)[] = [];
    const again = (): void => {
      waits.push(consumer.readable());
      refused.push(codeNow(() => consumer.readableSync({ timeout: 0 })));
      refused.push(codeNow(() => consumer.receiveSync()));
    };
    expect(consumer.consume(again, { max: 1 })).toBe(1);
    // By nothing but the end of the call: no time has passed.
    let served = false;
    void waits[0]?.then(() => (served = true));
    await Promise.resolve();
    await Promise.resolve();
    expect(served).toBe(true);
    expect(refused).toEqual(['EBUSY', 'EBUSY']);
    expect(taken(consumer)).toBe('two');
    await producer.send('three');
    consumer.consume(() => {
      consumer.close();
      refused.push(codeNow(() => consumer.receiveSync()));
    });
    expect(refused.at(-1)).toBe('ERR_CLOSED');
  });

  test('tells of a dead producer once, after all that it had sent', async () => {
    const { ring: made, name } = ring();
    const consumer = made.consumer();
    const code = `
      const producer = require('@octoipc/shm').ShmRing.attach(process.argv[1]).producer();
      producer.trySend('last');
      console.log('sent');
      setInterval(() => {}, 1000);
    `;
    const dying = Peer.start(process.execPath, ['-e', code, name], { cwd: folder });
    await dying.line();
    await consumer.readable();
    dying.child.kill('SIGKILL');
    await dying.ended;
    await consumer.readable();
    expect(taken(consumer)).toBe('last');
    expect(await codeOf(() => consumer.readable())).toBe('EOWNERDEAD');
    expect(await codeOf(() => consumer.readable({ timeout: 1 }))).toBe('ETIMEDOUT');
  });
});

describe('writable()', () => {
  test('resolves when there is room for so many bytes, and takes none', async () => {
    const { producer, consumer } = full();
    expect(await codeOf(() => producer.writable(24, { timeout: 1 }))).toBe('ETIMEDOUT');
    expect(codeNow(() => producer.writableSync(24, { timeout: 1 }))).toBe('ETIMEDOUT');
    const waits = [producer.writable(24), producer.writable(0)];
    expect(producer.claim(0)).toBeNull();
    expect(taken(consumer)).toBe('x'.repeat(24));
    expect(await Promise.all(waits)).toEqual([undefined, undefined]);
    producer.writableSync(24, { timeout: 0 });
    expect(put(producer, 'y'.repeat(24))).toBe(true);
    expect(producer.claim(0)).toBeNull();
  });

  test('refuses what never fits, and what a claim is in the way of', async () => {
    const { ring: made } = ring({ capacity: 128, maxMessageSize: 24 });
    const producer = made.producer();
    expect(await codeOf(() => producer.writable(25))).toBe('EMSGSIZE');
    expect(codeNow(() => producer.writableSync(25))).toBe('EMSGSIZE');
    expect(await codeOf(() => producer.writable(-1))).toBe('ERR_OUT_OF_RANGE');
    expect(await codeOf(() => producer.writable('1' as never))).toBe('ERR_INVALID_ARG_TYPE');
    producer.claim(1);
    expect(await codeOf(() => producer.writable(1))).toBe('EBUSY');
  });

  test('waits for its turn among several, and leaves it to others', async () => {
    const { ring: made, name } = ring({ producers: 'multiple' });
    const [one, other] = [made.producer(), attach(name).producer()];
    const claim = one.claim(3);
    const waits = other.writable(3);
    expect(await codeOf(() => other.writable(3, { timeout: 1 }))).toBe('ETIMEDOUT');
    claim?.bytes.set(Buffer.from('one'));
    claim?.commit();
    await waits;
    expect(put(one, 'two')).toBe(true);
    expect(put(other, 'thr')).toBe(true);
    const consumer = made.consumer();
    expect([taken(consumer), taken(consumer), taken(consumer)]).toEqual(['one', 'two', 'thr']);
  });
});

/** Of a ring that is empty, and of one that is full. */
function pending(signal?: AbortSignal): {
  ends: (RingConsumer | RingProducer)[];
  waits: Promise<void>[];
  syncWaits: (() => void)[];
} {
  const { producer } = full();
  const consumer = ring().ring.consumer();
  return {
    ends: [consumer, producer],
    waits: [consumer.readable({ signal }), producer.writable(24, { signal })],
    syncWaits: [() => consumer.readableSync(), () => producer.writableSync(24)],
  };
}

test('readable() and writable() reject with the reason of an abort, and the ends go on', async () => {
  const controller = new AbortController();
  const { ends, waits } = pending(controller.signal);
  controller.abort(new Error('mine'));
  for (const wait of waits) await expect(wait).rejects.toThrow('mine');
  expect(ends.map((end) => end.closed)).toEqual([false, false]);
});

test('readable() and writable() reject with ERR_CLOSED when their end is closed, now or before', async () => {
  const { ends, waits, syncWaits } = pending();
  for (const end of ends) end.close();
  for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  for (const wait of syncWaits) expect(codeNow(wait)).toBe('ERR_CLOSED');
});

test('readableSync() and writableSync() are EBUSY while others wait', async () => {
  const { ends, waits, syncWaits } = pending();
  for (const wait of syncWaits) expect(codeNow(wait)).toBe('EBUSY');
  for (const end of ends) end.close();
  await Promise.allSettled(waits);
});

test('two processes pass large messages without a copy, and sleep in between', () => {
  const code = `
    const { ShmRing } = require('@octoipc/shm');
    const SIZE = 1 << 18;
    const [name, role] = process.argv.slice(1);
    if (role === 'peer') {
      const consumer = ShmRing.attach(name).consumer();
      let sum = 0;
      for (let left = 200; left > 0;) {
        consumer.readableSync();
        left -= consumer.consume((view) => { sum += view[0] + view[SIZE - 1]; }, { max: left });
      }
      console.log(sum);
    } else {
      const ring = ShmRing.create(name, { capacity: 1 << 20, maxMessageSize: SIZE, temporary: true });
      const producer = ring.producer();
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['-e', process.env.CODE, name, 'peer'], { stdio: ['ignore', 'inherit', 'inherit'] });
      for (let n = 0; n < 200; n++) {
        producer.writableSync(SIZE);
        const claim = producer.claim(SIZE);
        claim.bytes.fill(n);
        claim.commit();
      }
      child.on('exit', () => ring.close());
    }
  `;
  const { name } = ring();
  const said = execFileSync(process.execPath, ['-e', code, `${name}-large`, 'first'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, CODE: code },
  });
  const sum = Array.from({ length: 200 }, (_, n) => 2 * n).reduce((all, each) => all + each, 0);
  expect(said).toBe(`${sum}\n`);
});
