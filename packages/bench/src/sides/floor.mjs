// @ts-check
// floor.mjs ADDON KIND EXERCISE SIZE: what the mq suite measures, by an addon that does nothing but the system calls
// (c/floor.c): below this no library on Node-API can get.
//
// pair     a send and a receive that do not wait, in one process
// sync     one message a call between two processes, each of which blocks in the kernel
// fresh    the same, but each message comes to memory that nobody writes to again
// awaited  one message a call between two processes, each of which awaits a promise for each message, and waits in
//          the kernel
import { dlopen } from 'node:process';

import { receiveEach, receiveIterated } from './flows.mjs';
import { spawnPeer } from './peer.mjs';
import { driveFlow, fill, memoryOf, now, receiveFlow, serve, sumOf } from './side.mjs';

const [addon = '', kind = '', exercise = '', sizeText, role] = process.argv.slice(2);
const size = Number(sizeText);
const QUEUE = 'OCTOIPC_BENCH_QUEUES';
const name = process.env[QUEUE] ?? `/octoipc-bench-${process.pid}`;

/**
 * @typedef {object} Floor
 * @property {(kind: string, size: number, name: string) => number} open
 * @property {(id: number, name: string) => number} unlink
 * @property {(sent: Uint8Array, received: Uint8Array) => void} memory
 * @property {(waits: number) => number} send
 * @property {(waits: number, offset: number) => number} receive
 */

/** @type {{ exports: Floor }} */
const loaded = { exports: /** @type {any} */ ({}) };
dlopen(loaded, addon);
/** What Node-API has made is a dictionary to V8. */
const floor = { ...loaded.exports };
const message = memoryOf(size);
const target = memoryOf(size);

const id = floor.open(kind, size, name);
if (id < 0) throw new Error(`open: ${id}`);
floor.memory(message, target);
// A System V queue has no name that could go before it.
if (kind !== 'posix' && role === undefined) process.on('exit', () => floor.unlink(id, name));

function pairs(/** @type {number} */ count) {
  let sum = 0;
  const start = now();
  for (let n = 0; n < count; n++) {
    fill(message, n);
    floor.send(0);
    floor.receive(0, 0);
    sum += sumOf(target, 0);
  }
  return { ns: now() - start, sum };
}

/** @type {AsyncIterable<Uint8Array>} */
const messages = {
  [Symbol.asyncIterator]: () => ({
    next() {
      floor.receive(1, 0);
      return Promise.resolve({ done: false, value: target });
    },
    return: () => Promise.resolve({ done: true, value: undefined }),
  }),
};

/** Room for many messages; each has its type before it. */
const SLAB = 256 * 1024;
const ROOM = size + 64;
let slab = memoryOf(0);
let used = SLAB;

function takeFresh() {
  if (SLAB - used < ROOM) {
    slab = Buffer.allocUnsafeSlow(64 + SLAB).subarray(64);
    floor.memory(message, slab);
    used = 0;
  }
  floor.receive(1, used);
  const taken = new Uint8Array(slab.buffer, slab.byteOffset + used, size);
  used += ROOM;
  return taken;
}

function sendBlocking(/** @type {number} */ count) {
  for (let n = 0; n < count; n++) {
    fill(message, n);
    floor.send(1);
  }
}

/** @type {Record<string, { send(count: number): unknown, receive(count: number): unknown }>} */
const flows = {
  sync: {
    send: sendBlocking,
    receive: receiveEach(() => {
      floor.receive(1, 0);
      return target;
    }),
  },
  fresh: {
    send: sendBlocking,
    receive: receiveEach(takeFresh),
  },
  awaited: {
    async send(count) {
      for (let n = 0; n < count; n++) {
        fill(message, n);
        await Promise.resolve(floor.send(1));
      }
    },
    receive: receiveIterated(messages, (bytes) => bytes),
  },
};

if (exercise === 'pair') {
  if (kind === 'posix') floor.unlink(id, name);
  await serve(pairs);
} else if (role === 'peer') {
  if (kind === 'posix') floor.unlink(id, name);
  receiveFlow(/** @type {any} */ (flows[exercise]).receive);
} else {
  process.env[QUEUE] = kind === 'posix' ? name : String(id);
  const { child } = spawnPeer(import.meta.filename, {});
  await driveFlow(child, /** @type {any} */ (flows[exercise]).send);
}
