// One process quotes prices, three listen, each at its own pace: node examples/prices.mjs
import { fork } from 'node:child_process';
import { once } from 'node:events';

import { ShmBroadcast, ShmValue } from '@octoipc/shm';

const [name, reader] = process.argv.slice(2);

async function listen() {
  const prices = ShmBroadcast.attach(name);
  const consumer = prices.consumer();
  process.send('here');
  let count = 0;
  for await (const price of consumer) {
    if (price.length === 0) break;
    count += 1;
    // Some have more to do than others.
    if (reader === '2') for (let i = 0; i < 1e5; i++) Math.sqrt(i);
  }
  console.log(`reader ${reader}: ${count} prices, ${consumer.missed} missed`);
  prices.close();
  process.disconnect();
}

async function quote() {
  const own = `/octoipc-example-${process.pid}`;
  const prices = ShmBroadcast.create(own, { capacity: 4096, temporary: true });
  const last = ShmValue.create(`${own}-last`, { maxSize: 16, temporary: true });
  const producer = prices.producer();
  const readers = [1, 2, 3].map((number) => fork(import.meta.filename, [own, String(number)]));
  await Promise.all(readers.map((child) => once(child, 'message')));
  for (let i = 0; i < 10_000; i++) {
    const price = (100 + Math.sin(i / 100)).toFixed(3);
    producer.send(price);
    last.set(price);
  }
  producer.send('');
  await Promise.all(readers.map((child) => once(child, 'exit')));
  console.log(`set ${last.version} times, at last to ${last.get()}`);
  prices.close();
  last.close();
}

await (name === undefined ? quote() : listen());
