// @ts-check
// pipe.mjs EXERCISE SIZE CAPACITY: what the pipe suite measures, by @octoipc/pipe.
import { once } from 'node:events';

import { createPipe, pipeReceiver, pipeSender, PipeReader, PipeWriter } from '@octoipc/pipe';

import {
  driveFlow,
  driveTrips,
  fill,
  memoryOf,
  now,
  receiveFlow,
  receiveTrips,
  serve,
  sumOf,
} from './side.mjs';
import { spawnPeer } from './peer.mjs';

const [exercise = '', sizeText, capacityText, role] = process.argv.slice(2);
const size = Number(sizeText);
const capacity = Number(capacityText);
const total = (/** @type {number} */ count) => count * size;
const message = memoryOf(size);

/** Messages that are sent before one is awaited. */
const WINDOW = 1000;

/**
 * @typedef {object} Ends
 * @property {PipeWriter} writer - to the other process
 * @property {PipeReader} reader - from the other process
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

function openAndClose(/** @type {number} */ count) {
  const start = now();
  for (let n = 0; n < count; n++) createPipe().close();
  return { ns: now() - start, sum: 0 };
}

/**
 * What an exercise does not use must not be collected, and so closed, meanwhile.
 *
 * @type {unknown[]}
 */
const kept = [];

async function drive() {
  if (exercise === 'open') return serve(openAndClose);
  const { child, pipes } = spawnPeer(import.meta.filename, { 3: 'read', 4: 'write' });
  const ends = { writer: pipes[3], reader: pipes[4] };
  kept.push(ends);
  if (capacity > 0) ends.writer.capacity = capacity;
  const flow = flows[exercise];
  if (flow !== undefined) return driveFlow(child, flow.send(ends));
  const trip = trips[exercise];
  if (trip !== undefined) return driveTrips(child, trip.trip(ends));
  throw new Error(`no exercise ${exercise}`);
}

function answer() {
  const ends = { reader: PipeReader.fromFd(3), writer: PipeWriter.fromFd(4) };
  kept.push(ends);
  const flow = flows[exercise];
  if (flow !== undefined) receiveFlow(flow.receive(ends));
  else receiveTrips(/** @type {any} */ (trips[exercise]).echo(ends));
}

if (role === 'peer') answer();
else await drive();
