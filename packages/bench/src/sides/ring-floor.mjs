// @ts-check
// ring-floor.mjs flow SIZE CAPACITY: the least that JavaScript can do over the layout of a ring: messages of
// one size, no checks, no ends, no sleep; published 64 at a time, each seen by a view of its own.
import { SharedMemory } from '@octoipc/shm';

import { spawnPeer } from './peer.mjs';
import { driveFlow, fill, memoryOf, receiveFlow, sumOf } from './side.mjs';

const [, sizeText, capacityText, role] = process.argv.slice(2);
const size = Number(sizeText);
const capacity = Number(capacityText);
const record = 8 + ((size + 7) & ~7);

const DATA = 4096;
const TAIL = 64 / 4;
const HEAD = 128 / 4;
const BATCH = 64;

/** The memory of the peer, who is told by its environment. */
const NAME = 'OCTOIPC_BENCH_FLOOR';

const name = process.env[NAME] ?? `/octoipc-bench-${process.pid}-floor`;
const memory = SharedMemory.open(
  name,
  role === 'peer' ? {} : { create: true, exclusive: true, size: DATA + capacity, temporary: true },
);
const words = memory.view(Int32Array, 0, DATA / 4);
const bytes = memory.view(Uint8Array, DATA, capacity);
const headers = memory.view(Int32Array, DATA, capacity / 4);

/** Messages that are sent: as many as are published at once. */
const batch = Array.from({ length: BATCH }, () => memoryOf(size));
let here = 0;

/** Where the next record is, which never crosses the end. */
const place = () => (here + record > capacity ? 0 : here);

function send(/** @type {number} */ count) {
  let sent = Atomics.load(words, TAIL);
  const most = Math.floor(capacity / record) - 1;
  for (let n = 0; n < count;) {
    const length = Math.min(BATCH, count - n);
    while (sent + length - Atomics.load(words, HEAD) > most);
    for (let i = 0; i < length; i++) {
      const message = /** @type {Buffer} */ (batch[i]);
      fill(message, n + i);
      here = place();
      bytes.set(message, here + 8);
      headers[here >> 2] = size;
      headers[(here >> 2) + 1] = 1;
      here += record;
    }
    n += length;
    sent += length;
    Atomics.store(words, TAIL, sent);
  }
}

function receive(/** @type {number} */ count) {
  const { buffer, byteOffset } = bytes;
  let sum = 0;
  let taken = Atomics.load(words, HEAD);
  for (let n = 0; n < count;) {
    const there = Atomics.load(words, TAIL);
    for (; taken !== there; taken++, n++) {
      here = place();
      const length = headers[here >> 2];
      if (headers[(here >> 2) + 1] !== 1) throw new Error('no message');
      sum += sumOf(new Uint8Array(buffer, byteOffset + here + 8, length), 0);
      here += record;
    }
    Atomics.store(words, HEAD, taken);
  }
  return sum;
}

if (role === 'peer') {
  receiveFlow(receive);
} else {
  process.env[NAME] = name;
  await driveFlow(spawnPeer(import.meta.filename, {}).child, send);
}
