// @ts-check
// node.mjs EXERCISE SIZE: what Node offers for the same, without octoipc.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';

import { driveFlow, driveTrips, fill, now, receiveFlow, receiveTrips, sumOf } from './side.mjs';

const [exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const self = import.meta.filename;
const args = [...process.argv.slice(2), 'peer'];

/** Messages that are sent before one is awaited. */
const WINDOW = 1000;

/** @param {import('node:stream').Writable} writable */
function writesTo(writable) {
  const message = Buffer.alloc(size);
  return async (/** @type {number} */ count) => {
    for (let n = 0; n < count; n++) {
      fill(message, n);
      if (!writable.write(message)) await once(writable, 'drain');
    }
  };
}

/** @param {import('node:stream').Readable} readable */
function readsFrom(readable) {
  /** @type {(chunk: Buffer) => void} */
  let take = () => {};
  readable.on('data', (chunk) => take(chunk));
  return (/** @type {number} */ count) =>
    new Promise((resolve) => {
      let at = 0;
      let sum = 0;
      take = (chunk) => {
        sum += sumOf(chunk, at);
        at += chunk.length;
        if (at === count * size) resolve(sum);
      };
    });
}

/** @type {Record<string, { drive(): Promise<void>, answer(): void }>} */
const exercises = {
  // A pipe between two processes, fs streams at both ends.
  'fs-streams': {
    async drive() {
      const { spawnPeer } = await import('./peer.mjs');
      const { child, pipes } = spawnPeer(self, { 3: 'read' });
      const fd = pipes[3].release();
      await driveFlow(child, writesTo(createWriteStream('', { fd })));
    },
    answer: () => receiveFlow(readsFrom(createReadStream('', { fd: 3 }))),
  },
  // What child_process gives a child as its standard input: a socket.
  stdio: {
    async drive() {
      const stdio = /** @type {const} */ (['pipe', 'inherit', 'inherit', 'ipc']);
      const child = spawn(process.execPath, [self, ...args], { stdio: [...stdio] });
      await driveFlow(child, writesTo(/** @type {import('node:stream').Writable} */ (child.stdin)));
    },
    answer: () => receiveFlow(readsFrom(process.stdin)),
  },
  'send-json': { drive: () => driveSend('json'), answer: () => answerSend('json') },
  'send-advanced': { drive: () => driveSend('advanced'), answer: () => answerSend('advanced') },
  roundtrip: {
    async drive() {
      const child = fork(self, args);
      const text = 'x'.repeat(size);
      await driveTrips(child, async (times) => {
        for (let n = 0; n < times.length; n++) {
          const before = now();
          child.send(text);
          await once(child, 'message');
          times[n] = now() - before;
        }
      });
    },
    answer() {
      receiveTrips(() => {});
      process.on('message', (message) => {
        if (typeof message === 'string') process.send?.(message);
      });
    },
  },
};

/** @param {'json' | 'advanced'} serialization */
async function driveSend(serialization) {
  const child = fork(self, args, { serialization });
  const bytes = Buffer.alloc(size);
  const text = 'x'.repeat(size - 1);
  await driveFlow(child, async (count) => {
    for (let n = 0; n < count;) {
      /** @type {Promise<unknown> | undefined} */
      let sent;
      for (const stop = Math.min(count, n + WINDOW); n < stop; n++) {
        const last = n === stop - 1;
        const message = serialization === 'json' ? String.fromCharCode(n & 0x7f) + text : bytes;
        if (serialization === 'advanced') fill(bytes, n);
        if (last) sent = new Promise((resolve) => child.send(message, resolve));
        else child.send(message);
      }
      await sent;
    }
  });
}

/** @param {'json' | 'advanced'} serialization */
function answerSend(serialization) {
  let left = 0;
  let sum = 0;
  /** @type {(sum: number | undefined) => void} */
  let done = () => {};
  process.on('message', (message) => {
    if (typeof message === 'string') sum += message.charCodeAt(0);
    else if (message instanceof Uint8Array) sum += sumOf(message, 0);
    else return;
    left -= 1;
    if (left === 0) done(serialization === 'json' ? undefined : sum);
  });
  receiveFlow((count) => {
    left = count;
    sum = 0;
    return new Promise((resolve) => {
      done = resolve;
    });
  });
}

const chosen = exercises[exercise];
if (chosen === undefined) throw new Error(`no exercise ${exercise}`);
if (role === 'peer') chosen.answer();
else await chosen.drive();
