// @ts-check
// What programs do with the two ends that they have of a byte stream: pipe.mjs, fifo.mjs EXERCISE SIZE.
import { once } from 'node:events';

import { pipeReceiver, pipeSender } from '@octoipc/pipe';

import {
  driveFlow,
  driveTrips,
  fill,
  memoryOf,
  now,
  receiveFlow,
  receiveTrips,
  sumOf,
} from './side.mjs';

const [exercise = '', sizeText] = process.argv.slice(2);
const size = Number(sizeText);
const total = (/** @type {number} */ count) => count * size;
const message = memoryOf(size);

/** Messages that are sent before one is awaited. */
const WINDOW = 1000;

/**
 * @typedef {object} Ends
 * @property {import('@octoipc/pipe').PipeWriter} writer - to the other process
 * @property {import('@octoipc/pipe').PipeReader} reader - from the other process
 */

/**
 * Adds up a stream that comes in chunks.
 *
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {number} expected - bytes
 */
async function sumChunks(chunks, expected) {
  let at = 0;
  let sum = 0;
  for await (const chunk of chunks) {
    sum += sumOf(chunk, at);
    at += chunk.length;
    if (at === expected) break;
  }
  return sum;
}

/** @type {Record<string, { send(ends: Ends): (count: number) => unknown, receive(ends: Ends): (count: number) => unknown }>} */
const flows = {
  sync: {
    send:
      ({ writer }) =>
      (count) => {
        for (let n = 0; n < count; n++) {
          fill(message, n);
          writer.writeSync(message);
        }
      },
    receive: ({ reader }) => {
      const target = { into: message };
      return (count) => {
        let sum = 0;
        const expected = total(count);
        for (let at = 0; at < expected;) {
          const chunk = reader.readSync(target);
          if (chunk === null) throw new Error('the stream ended');
          sum += sumOf(chunk, at);
          at += chunk.length;
        }
        return sum;
      };
    },
  },
  'sync-owned': {
    send: (ends) => /** @type {any} */ (flows['sync']).send(ends),
    receive: ({ reader }) => {
      const target = { maxBytes: size };
      return (count) => {
        let sum = 0;
        const expected = total(count);
        for (let at = 0; at < expected;) {
          const chunk = reader.readSync(target);
          if (chunk === null) throw new Error('the stream ended');
          sum += sumOf(chunk, at);
          at += chunk.length;
        }
        return sum;
      };
    },
  },
  iterate: {
    send:
      ({ writer }) =>
      async (count) => {
        for (let n = 0; n < count; n++) {
          fill(message, n);
          await writer.write(message);
        }
      },
    receive:
      ({ reader }) =>
      (count) =>
        sumChunks(reader, total(count)),
  },
  streams: {
    send: ({ writer }) => {
      const writable = writer.toWritable();
      return async (count) => {
        for (let n = 0; n < count; n++) {
          fill(message, n);
          if (!writable.write(message)) await once(writable, 'drain');
        }
      };
    },
    receive: ({ reader }) => {
      const readable = reader.toReadable();
      /** @type {(chunk: Buffer) => void} */
      let take = () => {};
      readable.on('data', (chunk) => take(chunk));
      return (count) =>
        new Promise((resolve) => {
          let at = 0;
          let sum = 0;
          take = (chunk) => {
            sum += sumOf(chunk, at);
            at += chunk.length;
            if (at === total(count)) resolve(sum);
          };
        });
    },
  },
  frames: {
    send: ({ writer }) => {
      const sender = pipeSender(writer);
      return async (count) => {
        for (let n = 0; n < count;) {
          let sent;
          for (const stop = Math.min(count, n + WINDOW); n < stop; n++) {
            fill(message, n);
            sent = sender.send(message);
          }
          await sent;
        }
      };
    },
    receive: ({ reader }) => {
      const receiver = pipeReceiver(reader);
      return async (count) => {
        let sum = 0;
        let left = count;
        for await (const each of receiver) {
          sum += sumOf(each, 0);
          left -= 1;
          if (left === 0) break;
        }
        return sum;
      };
    },
  },
  many: {
    send: ({ writer }) => {
      const sender = pipeSender(writer);
      const window = Array.from({ length: WINDOW }, () => Buffer.alloc(size));
      return async (count) => {
        for (let n = 0; n < count; n += WINDOW) {
          const batch = count - n < WINDOW ? window.slice(0, count - n) : window;
          for (let i = 0; i < batch.length; i++) fill(/** @type {Buffer} */ (batch[i]), n + i);
          await sender.sendMany(batch);
        }
      };
    },
    receive: ({ reader }) => {
      const receiver = pipeReceiver(reader);
      return async (count) => {
        let sum = 0;
        for (let left = count; left > 0;) {
          const messages = await receiver.receiveMany();
          for (let i = 0; i < messages.length; i++) {
            sum += sumOf(/** @type {Buffer} */ (messages[i]), 0);
          }
          left -= messages.length;
        }
        return sum;
      };
    },
  },
};

/** @type {Record<string, { trip(ends: Ends): (times: Float64Array) => unknown, echo(ends: Ends): (count: number) => unknown }>} */
const trips = {
  'roundtrip-sync': {
    trip: ({ writer, reader }) => {
      const target = { into: Buffer.alloc(size) };
      return (times) => {
        let before = now();
        for (let n = 0; n < times.length; n++) {
          fill(message, n);
          writer.writeSync(message);
          reader.readSync(target);
          const after = now();
          times[n] = after - before;
          before = after;
        }
      };
    },
    echo: ({ writer, reader }) => {
      const target = { into: message };
      return (count) => {
        for (let n = 0; n < count; n++) {
          const chunk = reader.readSync(target);
          if (chunk !== null) writer.writeSync(chunk);
        }
      };
    },
  },
  'roundtrip-awaited': {
    trip:
      ({ writer, reader }) =>
      async (times) => {
        let before = now();
        for (let n = 0; n < times.length; n++) {
          fill(message, n);
          await writer.write(message);
          await reader.read();
          const after = now();
          times[n] = after - before;
          before = after;
        }
      },
    echo:
      ({ writer, reader }) =>
      async (count) => {
        for (let n = 0; n < count; n++) {
          const chunk = await reader.read();
          if (chunk !== null) await writer.write(chunk);
        }
      },
  },
  'roundtrip-messages': {
    trip: ({ writer, reader }) => {
      const sender = pipeSender(writer);
      const receiver = pipeReceiver(reader);
      return async (times) => {
        let before = now();
        for (let n = 0; n < times.length; n++) {
          fill(message, n);
          await sender.send(message);
          await receiver.receive();
          const after = now();
          times[n] = after - before;
          before = after;
        }
      };
    },
    echo: ({ writer, reader }) => {
      const sender = pipeSender(writer);
      const receiver = pipeReceiver(reader);
      return async (count) => {
        for (let n = 0; n < count; n++) {
          const each = await receiver.receive();
          if (each !== null) await sender.send(each);
        }
      };
    },
  },
};

/**
 * What an exercise does not use must not be collected, and so closed, meanwhile.
 *
 * @type {unknown[]}
 */
const kept = [];

/**
 * @param {import('node:child_process').ChildProcess} peer
 * @param {Ends} ends
 */
export function driveStream(peer, ends) {
  kept.push(ends);
  const flow = flows[exercise];
  if (flow !== undefined) return driveFlow(peer, flow.send(ends));
  const trip = trips[exercise];
  if (trip !== undefined) return driveTrips(peer, trip.trip(ends));
  throw new Error(`no exercise ${exercise}`);
}

/** @param {Ends} ends */
export function answerStream(ends) {
  kept.push(ends);
  const flow = flows[exercise];
  if (flow !== undefined) receiveFlow(flow.receive(ends));
  else receiveTrips(/** @type {any} */ (trips[exercise]).echo(ends));
}
