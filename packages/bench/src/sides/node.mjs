// @ts-check
// node.mjs EXERCISE SIZE: what Node offers for the same, without octoipc.
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readStream, writeStream } from './flows.mjs';
import {
  driveFlow,
  driveTrips,
  fill,
  receiveFlow,
  receiveTrips,
  sumOf,
  tripsAwaited,
} from './side.mjs';

const [exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const self = import.meta.filename;
const args = [...process.argv.slice(2), 'peer'];

/** Where the peer finds a FIFO. */
const FIFO = 'OCTOIPC_BENCH_FIFO';

/** Messages that are sent before one is awaited. */
const WINDOW = 1000;

/** @type {Record<string, { drive(): Promise<void>, answer(): void }>} */
const exercises = {
  // A pipe between two processes, fs streams at both ends.
  'fs-streams': {
    async drive() {
      const { spawnPeer } = await import('./peer.mjs');
      const { child, pipes } = spawnPeer(self, { 3: 'read' });
      const fd = pipes[3].release();
      await driveFlow(child, writeStream(size, createWriteStream('', { fd })));
    },
    answer: () => receiveFlow(readStream(size, createReadStream('', { fd: 3 }))),
  },
  // A FIFO that both open by its path.
  'fs-streams-fifo': {
    async drive() {
      const folder = mkdtempSync(join(tmpdir(), 'octoipc-bench-'));
      process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
      const path = join(folder, 'fifo');
      execFileSync('mkfifo', [path]);
      const child = fork(self, args, { env: { ...process.env, [FIFO]: path } });
      await driveFlow(child, writeStream(size, createWriteStream(path)));
    },
    answer: () => receiveFlow(readStream(size, createReadStream(process.env[FIFO] ?? ''))),
  },
  // What child_process gives a child as its standard input: a socket.
  stdio: {
    async drive() {
      const stdio = /** @type {const} */ (['pipe', 'inherit', 'inherit', 'ipc']);
      const child = spawn(process.execPath, [self, ...args], { stdio: [...stdio] });
      const stdin = /** @type {import('node:stream').Writable} */ (child.stdin);
      await driveFlow(child, writeStream(size, stdin));
    },
    answer: () => receiveFlow(readStream(size, process.stdin)),
  },
  'send-json': { drive: () => driveSend('json'), answer: answerSend },
  'send-advanced': { drive: () => driveSend('advanced'), answer: answerSend },
  roundtrip: {
    async drive() {
      const child = fork(self, args);
      const rest = restOf(size);
      const trip = tripsAwaited(
        (n) => {
          const answered = once(child, 'message');
          child.send(textOf(n, rest));
          return answered;
        },
        undefined,
        ([text]) => sumOfText(text),
      );
      await driveTrips(child, trip);
    },
    answer() {
      const rest = restOf(size);
      let [left, n, sum] = [0, 0, 0];
      /** @type {(sum: number) => void} */
      let done = () => {};
      process.on('message', (message) => {
        if (typeof message !== 'string') return;
        sum += sumOfText(message);
        process.send?.(textOf(n, rest));
        n += 1;
        left -= 1;
        if (left === 0) done(sum);
      });
      receiveTrips((count) => {
        [left, n, sum] = [count, 0, 0];
        return new Promise((resolve) => (done = resolve));
      });
    },
  },
};

/**
 * A text of as many characters, of which those at 0, 64, 128, … are as the bytes would be. In UTF-8 those
 * over 127 take two bytes.
 *
 * @param {number} n
 * @param {string} rest - of a line
 */
function textOf(n, rest) {
  const line = String.fromCharCode(n & 0xff) + rest;
  return size <= 64 ? line : line.repeat(Math.ceil(size / 64)).slice(0, size);
}

/** What follows the first character of each line. @param {number} length */
const restOf = (length) => 'x'.repeat(Math.min(63, length - 1));

/** @param {string} text */
function sumOfText(text) {
  let sum = 0;
  for (let at = 0; at < text.length; at += 64) sum += text.charCodeAt(at);
  return sum;
}

/** @param {'json' | 'advanced'} serialization */
async function driveSend(serialization) {
  const child = fork(self, args, { serialization });
  const bytes = Buffer.alloc(size);
  const rest = restOf(size);
  await driveFlow(child, async (count) => {
    for (let n = 0; n < count;) {
      /** @type {Promise<unknown> | undefined} */
      let sent;
      for (const stop = Math.min(count, n + WINDOW); n < stop; n++) {
        const last = n === stop - 1;
        const message = serialization === 'json' ? textOf(n, rest) : bytes;
        if (serialization === 'advanced') fill(bytes, n);
        if (last) sent = new Promise((resolve) => child.send(message, resolve));
        else child.send(message);
      }
      await sent;
    }
  });
}

function answerSend() {
  let left = 0;
  let sum = 0;
  /** @type {(sum: number) => void} */
  let done = () => {};
  process.on('message', (message) => {
    if (typeof message === 'string') sum += sumOfText(message);
    else if (message instanceof Uint8Array) sum += sumOf(message, 0);
    else return;
    left -= 1;
    if (left === 0) done(sum);
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
