// @ts-check
// worker.mjs EXERCISE SIZE: what Node offers between threads: postMessage.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

import { fill, now, outcomeOf, serve, sumOf, tripsAwaited } from './side.mjs';

const [exercise = '', sizeText] = process.argv.slice(2);
const size = Number(sizeText);

/** Messages that are posted before one is answered. */
const WINDOW = 1000;

/** @param {Worker} worker */
function flow(worker) {
  const message = new Uint8Array(size);
  return async (/** @type {number} */ count) => {
    const start = now();
    for (let n = 0; n < count; n++) {
      fill(message, n);
      worker.postMessage(message);
      if (n % WINDOW === WINDOW - 1) await once(worker, 'message');
    }
    worker.postMessage('done');
    for (;;) {
      const [outcome] = await once(worker, 'message');
      if (typeof outcome === 'object') return { ns: outcome.end - start, sum: outcome.sum };
    }
  };
}

/** @param {Worker} worker */
function trips(worker) {
  const message = new Uint8Array(size);
  const trip = tripsAwaited(
    (n) => {
      const answered = once(worker, 'message');
      fill(message, n);
      worker.postMessage(message);
      return answered;
    },
    undefined,
    ([reply]) => sumOf(reply, 0),
  );
  return async (/** @type {number} */ count) => {
    const times = new Float64Array(count);
    const sum = await trip(times);
    worker.postMessage('done');
    const [outcome] = await once(worker, 'message');
    return outcomeOf(times, sum, outcome.sum);
  };
}

function answer() {
  const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
  const reply = new Uint8Array(size);
  let sum = 0;
  let count = 0;
  port.on('message', (/** @type {Uint8Array | string} */ message) => {
    if (typeof message === 'string') {
      port.postMessage({ end: now(), sum });
      sum = count = 0;
      return;
    }
    sum += sumOf(message, 0);
    count += 1;
    if (exercise === 'trips') {
      fill(reply, count - 1);
      port.postMessage(reply);
    } else if (count % WINDOW === 0) {
      port.postMessage(count);
    }
  });
}

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  await once(worker, 'online');
  await serve(exercise === 'trips' ? trips(worker) : flow(worker));
} else {
  answer();
}
