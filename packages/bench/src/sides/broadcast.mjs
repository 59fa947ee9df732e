// @ts-check
// broadcast.mjs EXERCISE SIZE CAPACITY READERS: one that publishes to many readers, by @octoipc/shm. They receive one by
// one (sync) or all that is there (many).
//
// Who publishes never waits, and would overrun them: it begins a window, a quarter of the capacity, when every reader
// has told by its semaphore that it had the window before the last.
import { once } from 'node:events';

import { PosixSemaphore } from '@octoipc/sem';
import { ShmBroadcast } from '@octoipc/shm';

import { spawnPeer } from './peer.mjs';
import { fill, memoryOf, now, receiveFlow, serve, sumOf } from './side.mjs';

const [exercise = '', sizeText, capacityText, readersText, role] = process.argv.slice(2);
const size = Number(sizeText);
const capacity = Number(capacityText);
const readers = Number(readersText);

/** Messages of a window; each is kept behind a header of 16 bytes. */
const WINDOW = Math.floor(capacity / 4 / (16 + Math.ceil(size / 8) * 8));

/** What the peer is told by its environment: the broadcast's name and its own number. */
const READER = 'OCTOIPC_BENCH_READER';

/**
 * What is collected is closed.
 *
 * @type {object[]}
 */
const kept = [];

/** Where a reader tells that it had a window. */
const semaphoreOf = (/** @type {string} */ name, /** @type {string | number} */ reader) => {
  const temporary = role === undefined;
  return PosixSemaphore.open(`${name}-${reader}`, { create: true, temporary });
};

async function drive() {
  const name = `/octoipc-bench-${process.pid}`;
  const options = { capacity, maxMessageSize: size, temporary: true };
  const broadcast = ShmBroadcast.create(name, options);
  const producer = broadcast.producer();
  kept.push(broadcast);
  const had = Array.from({ length: readers }, (_, reader) => semaphoreOf(name, reader));
  const peers = had.map((_, reader) => {
    process.env[READER] = `${name} ${reader}`;
    return spawnPeer(import.meta.filename, {}).child;
  });
  const message = memoryOf(size);
  const publish = (/** @type {number} */ count) => {
    for (let n = 0; n < count; n++) {
      if (n % WINDOW === 0 && n >= 2 * WINDOW) for (const one of had) one.acquireSync();
      fill(message, n);
      producer.send(message);
    }
  };
  const all = () => Promise.all(peers.map((peer) => once(peer, 'message')));
  await serve(async (count) => {
    const ready = all();
    for (const peer of peers) peer.send({ count });
    await ready;
    const told = all();
    const start = now();
    publish(count);
    const receipts = (await told).map(([receipt]) => receipt);
    // What they told of the last windows.
    for (const one of had) while (one.tryAcquire() !== null);
    const [{ sum }] = receipts;
    if (receipts.some((other) => other.sum !== sum)) throw new Error('readers had other bytes');
    return { ns: Math.max(...receipts.map(({ end }) => end)) - start, sum };
  });
}

function answer() {
  const [name = '', reader = ''] = (process.env[READER] ?? '').split(' ');
  const broadcast = ShmBroadcast.attach(name);
  const consumer = broadcast.consumer();
  const had = semaphoreOf(name, reader);
  kept.push(broadcast, had);
  receiveFlow(async (count) => {
    let sum = 0;
    for (let n = 0; n < count;) {
      const messages =
        exercise === 'many' ? await consumer.receiveMany() : [consumer.receiveSync()];
      for (const each of messages) {
        sum += sumOf(each, 0);
        n += 1;
        if (n % WINDOW === 0) had.release();
      }
    }
    return sum;
  });
}

if (role === 'peer') answer();
else await drive();
