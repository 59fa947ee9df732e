// @ts-check
// zeromq.mjs EXERCISE SIZE: what zeromq.js offers between two processes over ipc: PUSH and PULL one way (flow), PAIR
// there and back (trips).
import { fork } from 'node:child_process';

import { load } from '../peers.mjs';
import { dialogue } from './flows.mjs';
import { driveFlow, driveTrips, fill, receiveFlow, receiveTrips, sumOf } from './side.mjs';

const { Pair, Pull, Push } = await load('zeromq');
const [exercise = '', sizeText, role, address] = process.argv.slice(2);
const size = Number(sizeText);

/** It keeps what it is given until that was written: more than its queues hold, which are 1000 at each side. */
const MESSAGES = 4096;

/** @param {any} pair */
const tripsOf = (pair) =>
  dialogue(
    size,
    (message) => pair.send(message),
    async () => (await pair.receive())[0],
  );

/** @param {any} push */
const flowOf = (push) => {
  const messages = Array.from({ length: MESSAGES }, () => Buffer.alloc(size));
  return async (/** @type {number} */ count) => {
    for (let n = 0; n < count; n++) {
      const message = /** @type {Buffer} */ (messages[n % MESSAGES]);
      fill(message, n);
      await push.send(message);
    }
  };
};

async function drive() {
  const socket = exercise === 'trips' ? new Pair() : new Push();
  // An abstract name, which goes with its socket.
  const bound = `ipc://@octoipc-bench-zeromq-${process.pid}`;
  await socket.bind(bound);
  const child = fork(import.meta.filename, [exercise, String(size), 'peer', bound]);
  if (exercise === 'trips') await driveTrips(child, tripsOf(socket).trip);
  else await driveFlow(child, flowOf(socket));
}

function answer() {
  const socket = exercise === 'trips' ? new Pair() : new Pull();
  socket.connect(address);
  if (exercise === 'trips') return receiveTrips(tripsOf(socket).echo);
  receiveFlow(async (count) => {
    let sum = 0;
    for (let left = count; left > 0; left--) {
      const [message] = await socket.receive();
      sum += sumOf(message, 0);
    }
    return sum;
  });
}

if (role === 'peer') answer();
else await drive();
